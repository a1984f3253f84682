"""The ./vivero command: local platform, tests, status."""
