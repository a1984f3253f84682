"""API keys, with which programs work on behalf of who made them."""
