"""Backups of a tenant, and what was brought back of it."""
