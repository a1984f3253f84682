"""Parts of PromQL that several panels ask with; pure."""

from typing import Final

from vivero_control.domain.monitoring.panels import RATE_INTERVAL, Query

OF_PEOPLE: Final = 'path!~"/(healthz|readyz).*"'
"""Not of kubelet, which asks each pod every few seconds."""
LEADS: Final = "and on (job, instance) vivero_leading == 1"
"""What only the operator's leader knows counts only from it: a replica that leads no more keeps its last numbers."""


def answers(metric: str, selector: str) -> tuple[Query, ...]:
    """Requests a second by how they ended: answered, refused, failed."""
    ends = (("2..|3..", "Answered"), ("4..", "Refused (4xx)"), ("5..", "Failed (5xx)"))
    return tuple(
        Query(
            f'sum(rate({metric}_requests_total{{{selector},{OF_PEOPLE},status_code=~"{codes}"}}[{RATE_INTERVAL}]))'
            " or vector(0)",
            words,
        )
        for codes, words in ends
    )


def latencies(metric: str, selector: str) -> tuple[Query, ...]:
    """How long half, 95 % and 99 % of requests took at most."""
    shares = ((0.5, "Half"), (0.95, "95 %"), (0.99, "99 %"))
    histogram = f"{metric}_request_duration_seconds"
    return tuple(Query(quantile(share, histogram, f"{selector},{OF_PEOPLE}"), words) for share, words in shares)


def quantile(share: float, histogram: str, selector: str, *, by: str = "", window: str = RATE_INTERVAL) -> str:
    """`by`: a label, of whose values each has a series; `window`: a longer one for what happens seldom."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{{{selector}}}[{window}])))"


def process(selector: str, legend: str, by: str) -> tuple[Query, Query]:
    """Memory and processor time of programs."""
    return (
        Query(f"max by ({by}) (process_resident_memory_bytes{{{selector}}})", legend),
        Query(f"sum by ({by}) (rate(process_cpu_seconds_total{{{selector}}}[{RATE_INTERVAL}]))", legend),
    )
