"""The backing services, independent of the provider: configuration, accounts, health checks."""
