"""Reports of errors in Sentry's protocol, for all programs; the standard library alone, so that a pod stays small (ADR 0083)."""
