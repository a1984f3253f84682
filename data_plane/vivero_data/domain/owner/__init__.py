"""The first account."""
