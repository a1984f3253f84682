"""The plan's limits."""
