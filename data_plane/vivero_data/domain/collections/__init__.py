"""Collections: what users define."""
