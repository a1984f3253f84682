"""What is kept of deleted tenants, and how they come back."""
