"""Leads: how promising a trial is, why, and who looks after it."""
