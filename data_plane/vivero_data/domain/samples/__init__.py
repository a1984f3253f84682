"""Templates: collections with sample data, a report or two and a dashboard, made and removed as one."""
