"""The tenant's schema: connections, transactions, the tables and how they come to be."""
