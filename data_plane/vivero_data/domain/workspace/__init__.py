"""The workspace's settings, as the operator sets them."""
