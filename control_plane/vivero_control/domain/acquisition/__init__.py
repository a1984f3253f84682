"""What each channel costs, and what it brings."""
