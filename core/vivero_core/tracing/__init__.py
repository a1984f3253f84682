"""Traces in OpenTelemetry's protocol (OTLP), for all programs; the standard library alone, so that a pod stays small (ADR 0073)."""
