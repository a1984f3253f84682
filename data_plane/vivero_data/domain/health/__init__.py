"""Whether the process and its services work."""
