"""Dashboards about what the platform itself consists of: operator, databases, backups; pure."""

from typing import Final

from vivero_control.domain.monitoring.panels import (
    RATE_INTERVAL,
    Dashboard,
    Limit,
    Query,
    Unit,
    lines,
    number,
    ranking,
    stack,
)
from vivero_control.domain.monitoring.questions import LEADS, process, quantile

_DAY: Final = 86_400
_OPERATOR: Final = 'job="vivero-operator"'
_ARCHIVER: Final = 'job="vivero-archiver"'
_ARCHIVE_LATE: Final = Limit(300, "the archive is behind")

OPERATOR: Final = Dashboard(
    name="operator",
    title="Operator",
    lead="Whether it leads, keeps up with its work, and what fails.",
    panels=(
        number(
            "Replicas that lead",
            "One of them does all the work. None: nothing is provisioned or repaired, and tenants keep serving.",
            Unit.COUNT,
            Query("sum(vivero_leading)", "Leading"),
            limit=Limit(1, "no replica leads", below=True),
        ),
        number(
            "In the queue",
            "Objects that wait for their turn, in the leader.",
            Unit.COUNT,
            Query(f"sum(vivero_queue_depth {LEADS})", "Objects"),
        ),
        number(
            "Unexpected errors",
            "Faults of ours within a day, in reconciles and surveys. Normal is none; the log has them.",
            Unit.COUNT,
            Query("sum(increase(vivero_reconcile_unexpected_errors_total[1d])) or vector(0)", "Reconciles"),
            Query("sum(increase(vivero_survey_unexpected_errors_total[1d])) or vector(0)", "Surveys"),
            limit=Limit(0, "the log says what happened"),
        ),
        number(
            "Cannot be read",
            "Custom resources that this version cannot parse.",
            Unit.COUNT,
            Query("sum(vivero_unreadable_objects) or vector(0)", "Objects"),
            limit=Limit(0, "correct them with kubectl"),
        ),
        stack(
            "Passes a second",
            "By the kind of object.",
            Unit.RATE,
            Query(f"sum by (kind) (rate(vivero_reconcile_seconds_count[{RATE_INTERVAL}]))", "{{kind}}"),
        ),
        lines(
            "Time of a pass",
            "95 % took no longer than this, by the kind of object.",
            Unit.SECONDS,
            Query(quantile(0.95, "vivero_reconcile_seconds", _OPERATOR, by="kind"), "{{kind}}"),
        ),
        lines(
            "Passes that failed",
            "They are repeated with growing pauses; a share that stays means that a backing server is away.",
            Unit.SHARE,
            Query(
                f'(sum(rate(vivero_reconcile_seconds_count{{result="failed"}}[{RATE_INTERVAL}])) or vector(0))'
                f" / sum(rate(vivero_reconcile_seconds_count[{RATE_INTERVAL}]))",
                "Failed",
            ),
        ),
        lines(
            "Queue",
            "Objects that wait for their turn; tenants that wait until others have started.",
            Unit.COUNT,
            Query(f"sum(vivero_queue_depth {LEADS})", "In the queue"),
            Query(f"sum(vivero_tenants_queued_to_start {LEADS})", "Queued to start"),
        ),
        stack(
            "Requests to the API server",
            "By the status of the answer.",
            Unit.RATE,
            Query(f"sum by (code) (rate(rest_client_requests_total{{{_OPERATOR}}}[{RATE_INTERVAL}]))", "{{code}}"),
        ),
        ranking(
            "Events within an hour",
            "What it told of most often.",
            Unit.COUNT,
            Query("topk(10, sum by (type, reason) (increase(vivero_events_total[1h])))", "{{reason}} ({{type}})"),
        ),
        lines("Memory", "Resident, by pod.", Unit.BYTES, process(_OPERATOR, "{{pod}}", "pod")[0]),
        lines("Processor", "Cores in use, by pod.", Unit.CORES, process(_OPERATOR, "{{pod}}", "pod")[1]),
    ),
)

DATABASES: Final = Dashboard(
    name="databases",
    title="Databases",
    lead="The servers that tenants live on, as the operator and the archivers see them.",
    panels=(
        ranking(
            "Circuit breakers that are open",
            "1 while the operator cannot reach a server. Signups that need it wait, and continue by themselves.",
            Unit.COUNT,
            Query("max by (system) (vivero_circuit_breaker_open)", "{{system}}"),
            limit=Limit(0, "a server is away"),
        ),
        ranking(
            "Orphans",
            "Schemas, buckets and users of tenants without a Tenant, by server. The console names them under Overview.",
            Unit.COUNT,
            Query(f"max by (server) (vivero_orphans {LEADS})", "{{server}}"),
        ),
        lines(
            "How far the archives are behind",
            "A tenant can be brought back to a second that is at least so old.",
            Unit.SECONDS,
            Query("max by (pod) (vivero_archiver_lag_seconds)", "{{pod}}"),
            limit=_ARCHIVE_LATE,
        ),
        lines(
            "Binary log",
            "Read from each server by its archiver.",
            Unit.BYTE_RATE,
            Query(f"sum by (pod) (rate(vivero_archiver_read_bytes_total[{RATE_INTERVAL}]))", "{{pod}}"),
        ),
        lines(
            "Transactions of tenants",
            "As they stand in the binary logs, so writes alone.",
            Unit.RATE,
            Query(f"sum by (pod) (rate(vivero_archiver_groups_total[{RATE_INTERVAL}]))", "{{pod}}"),
        ),
        lines("Memory of the archivers", "Resident.", Unit.BYTES, process(_ARCHIVER, "{{pod}}", "pod")[0]),
    ),
)

BACKUPS: Final = Dashboard(
    name="backups",
    title="Backups",
    lead="Whether everything could be brought back if it were lost now.",
    panels=(
        number(
            "Last proofs",
            "Tenants by what the last proof of their archive has said; failed or refused ones cannot be brought back.",
            Unit.COUNT,
            Query(f"sum by (result) (vivero_recovery_proofs {LEADS})", "{{result}}"),
        ),
        number(
            "Oldest proof",
            "Each tenant is proven once a week, at night.",
            Unit.SECONDS,
            Query(f"max(vivero_recovery_proof_age_seconds {LEADS})", "Age"),
            limit=Limit(8 * _DAY, "the nights are too short"),
        ),
        number(
            "State of the platform",
            "Since when what the platform is rebuilt from is not known to be in the bucket as it is now.",
            Unit.SECONDS,
            Query(f"max(vivero_platform_backup_age_seconds {LEADS})", "Age"),
            limit=Limit(900, "changes would be lost with the cluster"),
        ),
        number(
            "Proof of the platform failed",
            "1 while the control plane's tables were not brought back as they are.",
            Unit.COUNT,
            Query(f"max(vivero_platform_proof_failed {LEADS})", "Failed"),
            limit=Limit(0, "a rebuild would be incomplete"),
        ),
        number(
            "Archives that have stopped",
            "They hold a statement that cannot be cut for certain.",
            Unit.COUNT,
            Query("sum(vivero_archiver_stopped) or vector(0)", "Archivers"),
            limit=Limit(0, "nothing newer can be restored to a second"),
        ),
        number(
            "Lost or waiting",
            "Parts of the log that no archive has, and tenants whose part waits for their key.",
            Unit.COUNT,
            Query("sum(increase(vivero_archiver_gaps_total[7d])) or vector(0)", "Gaps in 7 days"),
            Query("sum(increase(vivero_archiver_losses_total[7d])) or vector(0)", "Given up in 7 days"),
            Query("sum(vivero_archiver_keys_missing) or vector(0)", "Waiting for a key"),
            limit=Limit(0, "see the archiver's log"),
        ),
        lines(
            "How far the archives are behind",
            "What would be lost of the newest writes if a server were lost now.",
            Unit.SECONDS,
            Query("max by (pod) (vivero_archiver_lag_seconds)", "{{pod}}"),
            limit=_ARCHIVE_LATE,
        ),
        lines(
            "Segments stored",
            "Sealed parts of the log that were written to the backup bucket.",
            Unit.RATE,
            Query(f"sum by (pod) (rate(vivero_archiver_segments_total[{RATE_INTERVAL}]))", "{{pod}}"),
        ),
        stack(
            "Proofs by result",
            "How the last proofs of all tenants stood.",
            Unit.COUNT,
            Query(f"sum by (result) (vivero_recovery_proofs {LEADS})", "{{result}}"),
        ),
        lines(
            "Bucket or API server away",
            "Times within an hour that proofs could not be looked after.",
            Unit.COUNT,
            Query("sum(increase(vivero_proof_errors_total[1h])) or vector(0)", "Times"),
        ),
    ),
)
