"""Pure decisions: (what is wanted, what was observed, now) -> what to do and how to say it. No client in sight."""
