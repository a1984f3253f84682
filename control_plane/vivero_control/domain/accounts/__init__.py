"""Who manages a workspace from outside it, and what they do with it beside its plan."""
