"""One-time links by mail."""
