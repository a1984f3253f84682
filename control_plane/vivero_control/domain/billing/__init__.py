"""Billing: what a payment provider says about a customer, and what follows from it for the workspace (ADR 0055)."""
