"""Tells Prometheus which pods there are: the distribution's is built without Kubernetes' service discovery."""
