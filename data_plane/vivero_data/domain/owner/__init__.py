"""The owner's account, and the operator's token."""
