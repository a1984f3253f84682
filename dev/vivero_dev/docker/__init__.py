"""The docker provider: kind for the cluster, Compose with official images for the backing services."""
