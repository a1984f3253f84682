"""Audit: who changed what, when and why."""
