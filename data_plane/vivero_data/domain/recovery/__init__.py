"""Password reset by mail, and choosing a password with a link."""
