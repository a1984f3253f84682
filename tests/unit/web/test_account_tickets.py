"""A ticket lets in who has one of that very tenant, for minutes; everything else is no ticket."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.account_key import is_signed, public_half, sign
from vivero_web import account_tickets
from vivero_web.account_tickets import Check, issue, read

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
KEYS = {"acme": "a" * 64, "brisa": "b" * 64}
JTI = "j" * 32


def key_of(tenant: str) -> Check | None:
    return partial(is_signed, public_half(KEYS[tenant])) if tenant in KEYS else None


def made(tenant: str = "acme", key: str = "acme", at: datetime = NOW) -> str:
    return issue(tenant, JTI, at, partial(sign, KEYS[key]))


def test_a_ticket_says_whose_it_is() -> None:
    claims = read(made(), NOW, key_of)
    assert claims is not None
    assert (claims.tenant, claims.jti) == ("acme", JTI)


@pytest.mark.parametrize(
    ("ticket", "good"),
    [
        (made(at=NOW - timedelta(minutes=2)), True),
        (made(at=NOW - timedelta(minutes=2, seconds=31)), False),
        (made(at=NOW + timedelta(seconds=29)), True),
        (made(at=NOW + timedelta(seconds=31)), False),
        (made(at=NOW + timedelta(days=365)), False),
        (made(key="brisa"), False),
        (made("nobody"), False),
    ],
)
def test_only_its_tenant_and_only_for_minutes(ticket: str, good: bool) -> None:  # noqa: FBT001  a column of the table
    assert (read(ticket, NOW, key_of) is not None) is good


@given(st.integers(0, len(made()) - 1), st.characters(codec="utf-8"))
def test_a_changed_ticket_is_none(place: int, character: str) -> None:
    ticket = made()
    changed = ticket[:place] + character + ticket[place + 1 :]
    found = read(changed, NOW, key_of)
    assert found is None or changed == ticket or _same_bits(changed, ticket)


def _same_bits(one: str, other: str) -> bool:
    """The last character of base64 has bits that nothing reads."""
    return account_tickets._decoded(one.partition(".")[2]) == account_tickets._decoded(other.partition(".")[2])  # noqa: SLF001


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_anything_else_is_no_ticket(text: str) -> None:
    assert read(text, NOW, key_of) is None


@pytest.mark.parametrize("sent", ["", ".", "a.b.c", "é.é", f"{'a' * 5000}.b", "e30.e30", "\ud800.x"])
def test_what_is_no_ticket_is_refused_before_a_key_is_looked_for(sent: str) -> None:
    def refused(_: str) -> Check | None:
        raise AssertionError("no tenant is looked for")

    assert read(sent, NOW, refused) is None


def test_a_signature_of_something_else_is_no_ticket() -> None:
    """The pair signs nothing but tickets, and a ticket says what it is for."""
    other = account_tickets.AccountTicket("another audience", "acme", JTI, int(NOW.timestamp()) + 60)
    encode: Callable[[bytes], str] = account_tickets._encoded  # noqa: SLF001
    payload = encode(msgspec.json.encode(other))
    assert read(f"{payload}.{encode(sign(KEYS['acme'], payload.encode()))}", NOW, key_of) is None
