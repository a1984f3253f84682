"""The first account, and the token of whoever may make it."""
