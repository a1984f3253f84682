"""The second copy of every tenant's keys, in the platform's own namespace, and the record of data that was kept."""
