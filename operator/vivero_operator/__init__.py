"""The operator: keeps every Tenant as its resource says."""
