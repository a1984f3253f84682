"""Notifications: mails, and the outbox that loses nothing."""
