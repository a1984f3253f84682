"""Pages of the control plane, rendered on the server; the same services as the API, nothing of their own."""
