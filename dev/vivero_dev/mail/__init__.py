"""A mail sink: an SMTP server that keeps mails in a folder, and pages to read them."""
