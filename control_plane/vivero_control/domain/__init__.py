"""What the control plane knows about, one folder a noun, the same file names in each."""
