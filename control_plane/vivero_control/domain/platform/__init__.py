"""The platform's own backup, as staff see it."""
