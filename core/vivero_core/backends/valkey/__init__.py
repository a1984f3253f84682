"""Valkey: an ACL user with a key prefix for each tenant."""
