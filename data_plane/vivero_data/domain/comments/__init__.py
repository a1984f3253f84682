"""What people say about a record."""
