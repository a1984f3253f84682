"""Pure builders: a tenant in, one Kubernetes object out; one kind a file."""
