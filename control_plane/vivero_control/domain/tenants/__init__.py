"""Tenants as the cluster has them: shown, suspended, resumed, extended, moved to another plan."""
