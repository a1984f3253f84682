"""What the workspace is called and where it is reached."""
