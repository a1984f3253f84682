"""How the platform stands at this moment."""
