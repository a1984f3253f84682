"""The Kubernetes API, without the generated clients: see client.py for the reason."""
