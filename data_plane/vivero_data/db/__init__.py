"""The tenant's schema: connections, transactions, tables and migrations."""
