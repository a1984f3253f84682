"""Dashboards about those who use the platform: all tenants, one tenant, and signups; pure."""

from typing import Final

from vivero_control.domain.monitoring.panels import (
    RATE_INTERVAL,
    TENANT_ID,
    Dashboard,
    Limit,
    Query,
    Unit,
    lines,
    number,
    ranking,
    stack,
)
from vivero_control.domain.monitoring.questions import LEADS, OF_PEOPLE, answers, latencies, process, quantile

_WORKSPACES: Final = 'job="vivero-data-plane"'
_ONE: Final = f'{_WORKSPACES},tenant_id="{TENANT_ID}"'
_PAGES: Final = 'job="vivero-control-plane",component="serve"'
_ANSWERED: Final = "vivero_control_request_duration_seconds"
_SIGNED_UP: Final = 'method="POST",path=~"/signup/?|/api/v1/signups/?",status_code=~"2..|3.."'
_NAMED: Final = "* on (tenant_id) group_left (tenant) (max by (tenant, tenant_id) (vivero_tenant_ready_pods) >= bool 0)"
"""Gives a series of a tenant's id its name; only of tenants that are to serve."""
_BUDGET: Final = 0.001
"""99.9 % are promised (ADR 0066)."""
_SPENT: Final = Limit(0, "the budget is used up", below=True)
_SLOW: Final = Limit(1, "people notice")

FLEET: Final = Dashboard(
    name="fleet",
    title="Fleet",
    lead="All workspaces that are to serve: whether they are there, how much is asked of them, and which stand out.",
    panels=(
        number(
            "Tenants that are to serve",
            "Without spares and without those that are suspended, deleted, or starting for the first time.",
            Unit.COUNT,
            Query("count(max by (tenant) (vivero_tenant_ready_pods)) or vector(0)", "Tenants"),
        ),
        number(
            "Without a ready pod",
            "Their people see the page that the workspace is being started. Normal is none.",
            Unit.COUNT,
            Query("sum(max by (tenant) (vivero_tenant_ready_pods) == bool 0) or vector(0)", "Tenants"),
            limit=Limit(0, "a tenant is down"),
        ),
        number(
            "Not as they should be",
            "Tenants that are not Ready; their conditions say why.",
            Unit.COUNT,
            Query("sum(max by (tenant) (vivero_tenant_ready) == bool 0) or vector(0)", "Tenants"),
            limit=Limit(0, "a tenant is not Ready"),
        ),
        number(
            "Budget left",
            "Of the 43 minutes in 30 days that a tenant may be away, by the tenant that has the least left.",
            Unit.SHARE,
            Query(f"min(1 - avg_over_time(tenant:vivero_unavailable:ratio1h[30d]) / {_BUDGET})", "Least"),
            limit=_SPENT,
        ),
        lines(
            "Requests of all workspaces",
            "By how they ended. Failed ones are errors of ours.",
            Unit.RATE,
            *answers("vivero", _WORKSPACES),
        ),
        lines(
            "Time to an answer, all workspaces",
            "As the pods measure it, without the way to the visitor.",
            Unit.SECONDS,
            *latencies("vivero", _WORKSPACES),
            limit=_SLOW,
        ),
        lines(
            "Tenants",
            "Those that are to serve, and those of them that cannot.",
            Unit.COUNT,
            Query("count(max by (tenant) (vivero_tenant_ready_pods)) or vector(0)", "To serve"),
            Query("sum(max by (tenant) (vivero_tenant_ready_pods) == bool 0) or vector(0)", "Without a ready pod"),
            Query("sum(max by (tenant) (vivero_tenant_ready) == bool 0) or vector(0)", "Not Ready"),
        ),
        lines(
            "Memory of all workspaces",
            "Resident, of all pods together and of the largest one.",
            Unit.BYTES,
            Query(f"sum(process_resident_memory_bytes{{{_WORKSPACES}}})", "Together"),
            Query(f"max(process_resident_memory_bytes{{{_WORKSPACES}}})", "Largest"),
        ),
        ranking(
            "Busiest workspaces",
            "Requests a second over ten minutes.",
            Unit.RATE,
            Query(
                f"topk(10, sum by (tenant_id) (rate(vivero_requests_total{{{_WORKSPACES},{OF_PEOPLE}}}[10m])) {_NAMED})",
                "{{tenant}}",
            ),
        ),
        ranking(
            "Workspaces with most errors",
            "Requests that failed within an hour.",
            Unit.COUNT,
            Query(
                f'topk(10, sum by (tenant_id) (increase(vivero_requests_total{{{_WORKSPACES},status_code=~"5..",{OF_PEOPLE}}}[1h])) {_NAMED})'
                f" or topk(10, 0 * sum by (tenant_id) (up{{{_WORKSPACES}}}) {_NAMED})",
                "{{tenant}}",
            ),
        ),
    ),
)

TENANT: Final = Dashboard(
    name="tenant",
    title="One tenant",
    lead="The pods of one workspace, what is asked of them and what it costs them.",
    panels=(
        number(
            "Ready pods",
            "None: its people see the page that it is being started.",
            Unit.COUNT,
            Query(f'max(vivero_tenant_ready_pods{{tenant_id="{TENANT_ID}"}})', "Pods"),
            limit=Limit(1, "the tenant is down", below=True),
        ),
        number(
            "Ready",
            "1 while the Tenant is as it should be; else its conditions say why.",
            Unit.COUNT,
            Query(f'max(vivero_tenant_ready{{tenant_id="{TENANT_ID}"}})', "Ready"),
            limit=Limit(1, "its conditions say why", below=True),
        ),
        number(
            "Away within a day",
            "The share of the last day without a ready pod; 0.1 % are allowed over 30 days.",
            Unit.SHARE,
            Query(f'max(tenant:vivero_unavailable:ratio1d{{tenant_id="{TENANT_ID}"}})', "Away"),
            limit=Limit(3 * _BUDGET, "three times what is allowed"),
        ),
        number(
            "Budget left",
            "Of the 43 minutes in 30 days that it may be away.",
            Unit.SHARE,
            Query(
                f'max(1 - avg_over_time(tenant:vivero_unavailable:ratio1h{{tenant_id="{TENANT_ID}"}}[30d]) / {_BUDGET})',
                "Left",
            ),
            limit=_SPENT,
        ),
        lines("Requests", "By how they ended. Failed ones are errors of ours.", Unit.RATE, *answers("vivero", _ONE)),
        lines(
            "Time to an answer",
            "As its pods measure it, without the way to the visitor.",
            Unit.SECONDS,
            *latencies("vivero", _ONE),
            limit=_SLOW,
        ),
        lines("Memory", "Resident, by pod.", Unit.BYTES, process(_ONE, "{{pod}}", "pod")[0]),
        lines("Processor", "Cores in use, by pod.", Unit.CORES, process(_ONE, "{{pod}}", "pod")[1]),
        ranking(
            "Where its time goes",
            "Seconds a second that its pods spent on each route, over ten minutes.",
            Unit.CORES,
            Query(
                f"topk(10, sum by (path) (rate(vivero_request_duration_seconds_sum{{{_ONE},{OF_PEOPLE}}}[10m])))",
                "{{path}}",
            ),
        ),
        lines(
            "Found in its caches",
            "The share of look-ups that were spared a question to the database.",
            Unit.SHARE,
            Query(
                f'sum by (cache) (rate(vivero_cache_lookups_total{{{_ONE},result="hit"}}[{RATE_INTERVAL}]))'
                f" / sum by (cache) (rate(vivero_cache_lookups_total{{{_ONE}}}[{RATE_INTERVAL}]))",
                "{{cache}}",
            ),
        ),
    ),
)

SIGNUPS: Final = Dashboard(
    name="signups",
    title="Signups",
    lead="From the form to a workspace that answers: how many come how far, and how long they wait.",
    panels=(
        number(
            "Spares that can be claimed",
            "While there is one, a signup does not wait for the start of a pod.",
            Unit.COUNT,
            Query(f"sum by (pool) (vivero_pool_ready {LEADS})", "{{pool}}"),
            limit=Limit(1, "signups wait for a pod", below=True),
        ),
        number(
            "Queued to start",
            "Tenants that wait until others have started.",
            Unit.COUNT,
            Query(f"sum(vivero_tenants_queued_to_start {LEADS})", "Tenants"),
        ),
        number(
            "Jobs",
            "Mails and orders of the control plane. Those that were given up wait for staff, under Dead letters.",
            Unit.COUNT,
            Query('max(vivero_control_outbox_entries{state="pending"})', "Waiting"),
            Query('max(vivero_control_outbox_entries{state="dead"})', "Given up"),
        ),
        ranking(
            "How far signups of twelve weeks have come",
            "The same as on the page Figures, where each stage opens its rows.",
            Unit.COUNT,
            Query("max by (stage) (vivero_control_funnel)", "{{stage}}"),
        ),
        stack(
            "Signups an hour",
            "Warm ones claimed a spare, cold ones wait for the start of a pod.",
            Unit.COUNT,
            Query("sum by (start) (increase(vivero_control_signups_total[1h]))", "{{start}}"),
        ),
        lines(
            "Time to answer a signup",
            "Of six hours, by the form and the API; it ends when the tenant is claimed or created.",
            Unit.SECONDS,
            Query(quantile(0.5, _ANSWERED, _SIGNED_UP, window="6h"), "Half"),
            Query(quantile(0.95, _ANSWERED, _SIGNED_UP, window="6h"), "95 %"),
            limit=_SLOW,
        ),
        lines(
            "Spares",
            "Of each pool: those that can be claimed, and those that are starting.",
            Unit.COUNT,
            Query(f"sum by (pool) (vivero_pool_ready {LEADS})", "{{pool}}: ready"),
            Query(f"sum by (pool) (vivero_pool_starting {LEADS})", "{{pool}}: starting"),
        ),
        lines(
            "Requests of the control plane",
            "The public site, signups, the console and the API, by how they ended.",
            Unit.RATE,
            *answers("vivero_control", _PAGES),
        ),
        lines(
            "Time to an answer of the control plane",
            "Without streams of progress, which stay open.",
            Unit.SECONDS,
            *latencies("vivero_control", f'{_PAGES},path!~".*/events"'),
            limit=_SLOW,
        ),
        ranking(
            "The public status page",
            "1 operational, 0.5 degraded, 0 outage, as the worker has measured last.",
            Unit.COUNT,
            Query("max by (component) (vivero_control_component_up)", "{{component}}"),
            limit=Limit(1, "customers read of it", below=True),
        ),
    ),
)
