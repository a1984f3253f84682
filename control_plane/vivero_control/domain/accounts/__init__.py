"""Accounts: who signed up."""
