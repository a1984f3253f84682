"""Jobs: the outbox, its processing, and the wake-up of the worker."""
