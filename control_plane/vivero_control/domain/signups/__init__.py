"""Signups: from a form to a running workspace."""
