"""Keys, host names, streams."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_control.domain.signups.views import StreamSlots
from vivero_control.domain.tenants.hosts import host_name
from vivero_control.lib.idempotency import check_key
from vivero_web.errors import InvalidInputError
from vivero_web.tokens import derive_key, keyed_digest


def test_each_purpose_has_its_own_key() -> None:
    assert derive_key("master", "a") != derive_key("master", "b") != derive_key("other", "b")


@given(st.text(), st.text(), st.text())
def test_a_fingerprint_knows_where_its_parts_end(one: str, two: str, three: str) -> None:
    key = b"k" * 32
    assert keyed_digest(key, one, two) == keyed_digest(key, one, two)
    if (one + two, three) != (one, two + three):
        assert keyed_digest(key, one + two, three) != keyed_digest(key, one, two + three)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Vivero.Localhost:8443", "vivero.localhost"),
        ("a.b.", "a.b"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("", ""),
    ],
)
def test_host_names(header: str, name: str) -> None:
    assert host_name(header) == name


@given(st.text(max_size=300))
def test_an_accepted_idempotency_key_is_short_ascii(key: str) -> None:
    try:
        check_key(key)
    except InvalidInputError:
        return
    assert 1 <= len(key) <= 255
    assert key.isascii()


async def test_open_streams_are_counted_until_they_end() -> None:
    slots = StreamSlots(1)

    async def endless() -> AsyncIterator[int]:
        while True:
            yield 1
            await asyncio.sleep(0)

    stream = slots.counted(endless())
    assert not slots.full()
    assert await anext(stream) == 1
    assert slots.full()
    await stream.aclose()  # type: ignore[attr-defined]
    assert not slots.full()
