"""Notifications: mails, and how they are sent."""
