"""The status page: what is measured, what staff announce."""
