"""Health checks of the process and its backing services."""
