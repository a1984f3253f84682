"""What Prometheus knows of the platform, for staff."""
