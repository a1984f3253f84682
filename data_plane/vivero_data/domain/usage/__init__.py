"""Usage of the plan's limits."""
