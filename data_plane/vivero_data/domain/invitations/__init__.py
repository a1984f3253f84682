"""Invited users, who have not chosen a password yet."""
