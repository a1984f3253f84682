"""How much of the plan is used."""
