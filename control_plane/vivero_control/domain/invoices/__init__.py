"""Invoices of contracts, and their documents."""
