"""One order for all tenants that match a filter, carried out by jobs."""
