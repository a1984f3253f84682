"""What the plan allows."""
