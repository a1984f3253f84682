"""One-time links by mail: made, sent, spent."""
