"""The sessions of a person, seen and ended."""
