"""The operator's word on whose workspace this is."""
