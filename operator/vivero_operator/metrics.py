"""Prometheus metrics of the operator."""

import contextlib

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Histogram(
    "vivero_reconcile_seconds",
    "Duration of one reconcile",
    ["kind", "result"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60),
)
BROKEN = Counter("vivero_reconcile_broken_total", "Reconciles that ended in a bug", ["kind"])
TASK_RESTARTS = Counter("vivero_task_restarts_total", "Background tasks that ended and were started again", ["task"])
EVENTS = Counter("vivero_events_total", "What was said in events, repetitions included", ["kind", "type", "reason"])
ORPHANS = Gauge("vivero_orphans", "Tenants' things on backing servers that no Tenant speaks for", ["server"])
UNREADABLE = Gauge("vivero_unreadable_objects", "Custom resources that this program cannot read", ["kind"])
SURVEY_BROKEN = Counter("vivero_survey_broken_total", "Looks at a backing server that ended in a bug", ["system"])
QUEUE_DEPTH = Gauge("vivero_queue_depth", "Objects that wait to be reconciled")
WAITING_FOR_TURN = Gauge("vivero_tenants_waiting_for_turn", "Tenants that start when others have started")
POOL_SIZE = Gauge("vivero_pool_size", "Spares that a pool is to keep", ["pool"])
POOL_READY = Gauge("vivero_pool_ready", "Spares of a pool that can be claimed", ["pool"])
POOL_STARTING = Gauge("vivero_pool_starting", "Spares of a pool that are not proven", ["pool"])
REQUESTS = Counter("rest_client_requests", "Requests to the API server, as client-go counts them", ["method", "code"])
RESTING = Gauge("vivero_backend_resting", "1 while a backing server gives no answer and is left alone", ["system"])
LEADING = Gauge("vivero_leading", "1 while this replica leads")


def count_request(method: str, status: int) -> None:
    REQUESTS.labels(method, str(status)).inc()


def show_pool(pool: str, *, size: int, ready: int, starting: int) -> None:
    POOL_SIZE.labels(pool).set(size)
    POOL_READY.labels(pool).set(ready)
    POOL_STARTING.labels(pool).set(starting)


def forget_orphans(server: str) -> None:
    with contextlib.suppress(KeyError):
        ORPHANS.remove(server)


def forget_pool(pool: str) -> None:
    """Its figures would stand still at their last values."""
    for gauge in (POOL_SIZE, POOL_READY, POOL_STARTING):
        with contextlib.suppress(KeyError):
            gauge.remove(pool)
