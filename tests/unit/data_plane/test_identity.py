import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.identity import service
from vivero_data.domain.identity.service import Identity, IdentityService, configured
from vivero_data.settings import Environment, PublicUrl
from vivero_web.errors import UnavailableError

ACME = Identity("Acme GmbH", "https://acme.example.com:8443")
OTHER = Identity("Other Ltd", "https://other.example.com")
FALLBACK = Identity("From the chart", "https://chart.example.com")


class Stored:
    """The row in the schema: what it says, how often it was asked, and what stands in the way."""

    def __init__(self) -> None:
        self.identity: Identity | None = None
        self.asked = 0
        self.failure: Exception | None = None
        self.while_asked: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def read(self) -> Any:  # noqa: ANN401  stands for Database.read
        self.asked += 1
        if self.failure:
            raise self.failure
        yield self

    async def select(self, _: object) -> Identity | None:
        found = self.identity
        await asyncio.sleep(0)
        self.while_asked()
        return found


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    made = Stored()
    monkeypatch.setattr(service, "select", made.select)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(service, "time", made)
    return made


@pytest.fixture
def identity(stored: Stored, clock: Clock) -> IdentityService:  # noqa: ARG001  it reads this clock
    return IdentityService(stored, FALLBACK)  # type: ignore[arg-type]  # the one method it uses


async def test_what_was_told_comes_before_the_environment(identity: IdentityService, stored: Stored) -> None:
    assert await identity.current() == FALLBACK
    stored.identity = ACME
    identity.invalidate()
    assert await identity.current() == ACME


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (Environment("id"), Identity("Workspace", "")),
        (Environment("id", tenant_name="Acme GmbH"), Identity("Acme GmbH", "")),
        (Environment("id", "Acme GmbH", "https://acme.example.com"), Identity("Acme GmbH", "https://acme.example.com")),
    ],
)
def test_an_environment_that_says_nothing_leaves_neutral_words(environment: Environment, expected: Identity) -> None:
    assert configured(environment) == expected


async def test_pages_within_seconds_ask_once(identity: IdentityService, stored: Stored, clock: Clock) -> None:
    stored.identity = ACME
    assert await asyncio.gather(*(identity.current() for _ in range(20))) == [ACME] * 20
    clock.now += 4.9
    stored.identity = OTHER
    assert await identity.current() == ACME
    assert stored.asked == 1
    clock.now += 0.2
    assert await identity.current() == OTHER


async def test_a_change_shows_on_the_next_page(identity: IdentityService, stored: Stored) -> None:
    await identity.current()
    stored.identity = ACME
    identity.invalidate()
    assert await identity.current() == ACME


async def test_what_was_read_while_it_changed_is_not_kept(identity: IdentityService, stored: Stored) -> None:
    def change() -> None:
        stored.while_asked = lambda: None
        stored.identity = ACME
        identity.invalidate()

    stored.while_asked = change
    assert await identity.current() == FALLBACK
    assert await identity.current() == ACME


async def test_a_database_that_is_down_leaves_what_was_known(
    identity: IdentityService, stored: Stored, clock: Clock
) -> None:
    stored.failure = UnavailableError()
    assert await identity.current() == FALLBACK
    stored.identity, stored.failure = ACME, None
    assert await identity.current() == FALLBACK
    assert stored.asked == 1, "nobody waits for it again so soon"
    clock.now += 5.1
    assert await identity.current() == ACME
    stored.failure = UnavailableError()
    clock.now += 6
    assert await identity.current() == ACME
    with pytest.raises(UnavailableError):
        await identity.stored()


@pytest.mark.parametrize(
    ("url", "asked", "host"),
    [
        ("https://acme.example.com", "ignored", "acme.example.com"),
        ("https://acme.example.com:8443", "ignored", "acme.example.com"),
        ("http://[2001:db8::1]:8080", "ignored", "[2001:db8::1]"),
        ("http://[2001:db8::1]", "ignored", "[2001:db8::1]"),
        ("", "asked.example.com:8443", "asked.example.com"),
        ("", "", ""),
    ],
)
def test_the_host_is_the_address_or_the_one_asked_for(url: str, asked: str, host: str) -> None:
    assert Identity("x", url).host(asked) == host


@given(st.one_of(st.text(), st.text().map("https://".__add__), st.from_regex(r"https?://\S+(:\d+)?")))
def test_every_address_that_is_accepted_has_a_host_to_show(url: str) -> None:
    try:
        accepted = msgspec.convert(url, PublicUrl)
    except msgspec.ValidationError:
        return
    host = Identity("x", accepted).host("asked")
    assert host
    assert accepted.startswith(("http://" + host, "https://" + host))
    assert not set(host) & set("/?#@\\ \n\t\x00")


@given(st.text())
def test_any_host_that_a_request_names_can_be_shown(asked: str) -> None:
    assert asked.startswith(Identity("x", "").host(asked))
