"""The control plane: signup, trials, plans and staff work."""

__version__ = "0.1.0"
