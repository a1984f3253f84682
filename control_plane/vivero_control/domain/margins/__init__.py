"""What a tenant costs and brings."""
