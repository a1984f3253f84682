"""The look that every Vivero page shares."""
