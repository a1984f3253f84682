"""Access of the platform's staff, which an owner grants."""
