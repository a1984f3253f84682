"""What was deleted or changed, and comes back within 30 days."""
