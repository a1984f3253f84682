"""Collections that a person wants at hand."""
