"""Roles that a workspace defines for itself."""
