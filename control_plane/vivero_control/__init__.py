"""The control plane: signup, trials, plans and staff work."""
