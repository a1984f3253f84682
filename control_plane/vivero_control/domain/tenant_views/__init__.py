"""Views of the tenants' list that staff save."""
