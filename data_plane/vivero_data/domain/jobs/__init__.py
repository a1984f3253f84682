"""Jobs: long or heavy work of the workspace, in a process of its own."""
