"""Saved views of a collection: which columns, records and order."""
