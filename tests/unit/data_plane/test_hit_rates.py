from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, cast, get_args

import pytest
from prometheus_client import REGISTRY
from valkey.asyncio import Valkey
from valkey.exceptions import ConnectionError as NoConnectionError
from vivero_data.clients.cache import ExpiringValues
from vivero_data.db.database import Database
from vivero_data.domain.identity.service import Identity, IdentityService
from vivero_data.lib.hit_rates import Kept
from vivero_data.lib.tokens import AccessClaims, AccessTokens
from vivero_web.errors import NotSignedInError, UnavailableError


def counted(cache: str) -> dict[str, float]:
    labels = ({"cache": cache, "result": result} for result in ("hit", "miss", "away"))
    return {one["result"]: REGISTRY.get_sample_value("vivero_cache_lookups_total", one) or 0 for one in labels}


@contextmanager
def added(cache: str, **wanted: int) -> Iterator[None]:
    """What the block adds to the counts of one cache, and to nothing else."""
    before = {one: counted(one) for one in get_args(Kept)}
    yield
    after = {one: counted(one) for one in get_args(Kept)}
    for one, counts in after.items():
        more = {result: count - before[one][result] for result, count in counts.items()}
        assert {result: count for result, count in more.items() if count} == (wanted if one == cache else {})


class Keys:
    """Stands for Valkey, of which a call is one answer."""

    def __init__(self, answer: bytes | Exception | None) -> None:
        self._answer = answer

    async def get(self, key: str) -> bytes | None:
        assert key == "vt1:reports:x"
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def values(answer: bytes | Exception | None) -> ExpiringValues:
    return ExpiringValues(cast("Valkey", Keys(answer)), "vt1:", "reports")


async def test_what_is_in_the_cache_is_counted() -> None:
    with added("reports", hit=1):
        assert await values(b"kept").get("x") == "kept"
    with added("reports", hit=1):
        assert await values(b"").get("x") == ""
    with added("reports", miss=1):
        assert await values(None).get("x") is None
    with added("reports", away=1), pytest.raises(UnavailableError):
        await values(NoConnectionError()).get("x")


def test_tokens_that_were_read_before_are_counted() -> None:
    tokens = AccessTokens("ab" * 32, "abcdefghij")
    good = tokens.issue(AccessClaims(7, 9), datetime.now(UTC))
    with added("access_tokens", hit=2, miss=1):
        for _ in range(3):
            tokens.read(good)
    with added("access_tokens", miss=2):
        for _ in range(2):
            with pytest.raises(NotSignedInError):
                tokens.read("forged")


async def test_an_identity_that_is_known_is_counted() -> None:
    class Schema:
        @asynccontextmanager
        async def read(self) -> Any:  # noqa: ANN401  stands for Database.read
            yield self

        async def fetch_one(self, _: str) -> tuple[str, str]:
            return "Acme", ""

    identity = IdentityService(cast("Database", Schema()), Identity("", ""))
    with added("identity", hit=1, miss=1):
        assert (await identity.current()).name == (await identity.current()).name == "Acme"
