"""Jobs: long or heavy work, each attempt in a child process."""
