"""The workspace's name and public address."""
