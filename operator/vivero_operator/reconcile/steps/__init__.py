"""One idempotent step a file: observe, compare, act on a difference only."""
