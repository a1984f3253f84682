"""The data plane: one tenant, its records, files and users."""
