"""Plans: the price list."""
