"""All that happened to one tenant, in one list."""
