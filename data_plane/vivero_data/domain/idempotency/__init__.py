"""Writes of the API that are sent twice happen once."""
