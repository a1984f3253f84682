"""Helpers without a domain."""
