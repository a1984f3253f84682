"""How often what was kept was found, for the metrics: `vivero_cache_lookups_total`."""

from typing import Final, Literal

from prometheus_client import Counter

Kept = Literal["access_tokens", "identity", "reports", "sessions"]
"""The first two are kept in memory, the others in Valkey."""

_LOOKUPS: Final = Counter("vivero_cache_lookups", "Times that something kept was looked for", ["cache", "result"])


def looked_up(cache: Kept, *, found: bool) -> None:
    _LOOKUPS.labels(cache, "hit" if found else "miss").inc()


def not_looked_up(cache: Kept) -> None:
    """The cache did not answer."""
    _LOOKUPS.labels(cache, "away").inc()
