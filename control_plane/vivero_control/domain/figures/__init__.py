"""Figures of the business: what they are is a pure function of rows."""
