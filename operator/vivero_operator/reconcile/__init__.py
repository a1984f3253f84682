"""The level-based reconcile: literal lists of named steps, and what they share."""
