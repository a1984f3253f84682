"""Jobs: what must happen is a row first (the outbox); here the rows are worked off, and timers kept."""
