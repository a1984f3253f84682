"""Members who have not chosen their password yet."""
