"""Dead letters: jobs that were given up, for staff to see and replay."""
