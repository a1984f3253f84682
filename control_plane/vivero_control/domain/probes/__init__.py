"""Synthetic probes: the platform is used as a customer uses it, and asked before and after a change (ADR 0072)."""
