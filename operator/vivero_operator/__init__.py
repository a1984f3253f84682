"""The operator: reconciles every Tenant with its resource."""
