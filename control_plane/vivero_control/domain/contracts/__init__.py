"""Quotes that staff make, the contracts they become, and the invoices of those."""
