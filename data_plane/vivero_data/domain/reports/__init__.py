"""Reports: groups and figures over the records of a collection."""
