"""One-time logins from the control plane."""
