"""Long operations on a tenant's data, each a Kubernetes Job of the operator's image: the runner, and their programs."""
