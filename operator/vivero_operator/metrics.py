"""Prometheus metrics of the operator."""

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Histogram(
    "vivero_reconcile_seconds",
    "Duration of one reconcile",
    ["kind", "result"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60),
)
BROKEN = Counter("vivero_reconcile_broken_total", "Reconciles that ended in a bug", ["kind"])
QUEUE_DEPTH = Gauge("vivero_queue_depth", "Objects that wait to be reconciled")
LEADING = Gauge("vivero_leading", "1 while this replica leads")
