"""Prometheus metrics of the operator."""

import contextlib
from collections.abc import Iterator, Mapping

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Histogram(
    "vivero_reconcile_seconds",
    "Duration of one reconcile",
    ["kind", "result"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60),
)
UNEXPECTED_ERRORS = Counter(
    "vivero_reconcile_unexpected_errors_total", "Reconciles that failed with an unexpected error", ["kind"]
)
TASK_RESTARTS = Counter("vivero_task_restarts_total", "Background tasks that ended and were started again", ["task"])
EVENTS = Counter("vivero_events_total", "Events, including repeated ones", ["kind", "type", "reason"])
ORPHANS = Gauge("vivero_orphans", "Orphans: tenants' resources on backing servers without a Tenant", ["server"])
UNREADABLE = Gauge("vivero_unreadable_objects", "Custom resources that this version cannot parse", ["kind"])
SURVEY_ERRORS = Counter(
    "vivero_survey_unexpected_errors_total",
    "Surveys and sweeps of a backing server that failed with an unexpected error",
    ["system"],
)
QUEUE_DEPTH = Gauge("vivero_queue_depth", "Objects in the work queue")
WAITING_FOR_TURN = Gauge("vivero_tenants_queued_to_start", "Tenants queued until others have started")
POOL_SIZE = Gauge("vivero_pool_size", "Desired spares of a pool", ["pool"])
POOL_READY = Gauge("vivero_pool_ready", "Spares of a pool that can be claimed", ["pool"])
POOL_STARTING = Gauge("vivero_pool_starting", "Spares of a pool that are still starting", ["pool"])
PROOFS = Gauge("vivero_recovery_proofs", "Tenants whose last proof of their archive had this result", ["result"])
PROOF_AGE = Gauge(
    "vivero_recovery_proof_age_seconds",
    "Age of the oldest last proof that passed, of all tenants; since they were made if none",
)
PROOF_ERRORS = Counter(
    "vivero_proof_errors_total", "Times that proofs could not be looked after: the bucket or the API server was away"
)
PLATFORM_BACKUP_AGE = Gauge(
    "vivero_platform_backup_age_seconds",
    "Since when the platform's state in the backup bucket is not known to be the present one",
)
PLATFORM_PROOF_FAILED = Gauge(
    "vivero_platform_proof_failed",
    "1 while the control plane's tables were not brought back as they are by the last proof",
)
REQUESTS = Counter("rest_client_requests", "Requests to the API server, as client-go counts them", ["method", "code"])
CIRCUIT_OPEN = Gauge(
    "vivero_circuit_breaker_open", "1 while the circuit breaker of a backing server is open", ["system"]
)
LEADING = Gauge("vivero_leading", "1 while this replica is the leader")


@contextlib.contextmanager
def leading() -> Iterator[None]:
    """While the block runs, this replica is the leader."""
    LEADING.set(1)
    try:
        yield
    finally:
        LEADING.set(0)


def count_request(method: str, status: int) -> None:
    REQUESTS.labels(method, str(status)).inc()


def show_proofs(results: Mapping[str, int], oldest_seconds: float) -> None:
    for result, count in results.items():
        PROOFS.labels(result).set(count)
    PROOF_AGE.set(oldest_seconds)


def show_pool(pool: str, *, size: int, ready: int, starting: int) -> None:
    POOL_SIZE.labels(pool).set(size)
    POOL_READY.labels(pool).set(ready)
    POOL_STARTING.labels(pool).set(starting)


def forget_orphans(server: str) -> None:
    with contextlib.suppress(KeyError):
        ORPHANS.remove(server)


def forget_pool(pool: str) -> None:
    """Remove its gauges, which would keep their last values."""
    for gauge in (POOL_SIZE, POOL_READY, POOL_STARTING):
        with contextlib.suppress(KeyError):
            gauge.remove(pool)
