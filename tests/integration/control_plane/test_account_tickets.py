"""A workspace's ticket opens the pages about its plan once, of whatever comes at once; on the real Valkey."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from integration.control_plane.support import TestClock
from unit.control_plane.builders import tenant_body
from vivero_control import composition
from vivero_control.domain.accounts.sessions import Holder
from vivero_control.domain.accounts.tickets import AccountTickets
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.settings import Settings
from vivero_core.account_key import public_half, sign
from vivero_core.backends.kube.client import Listing
from vivero_web.account_tickets import issue
from vivero_web.errors import LinkSpentError, UnavailableError

SIGNING_KEY = "5" * 64


def directory(**status: str) -> TenantDirectory:
    body = tenant_body()
    body["status"] |= status
    made = TenantDirectory()
    made.apply(Listing([body], "1"))
    return made


def ticket(clock: TestClock, jti: str, key: str = SIGNING_KEY) -> str:
    return issue("u5g5446au3", jti, clock(), partial(sign, key))


async def test_a_ticket_opens_once(settings: Settings, clock: TestClock, later: Callable[[timedelta], None]) -> None:
    made = composition.infrastructure(settings, clock)
    async with made.open():
        known = directory(id="u5g5446au3", accountKey=public_half(SIGNING_KEY))
        tickets = AccountTickets(known, made.accounts, clock)
        sent = ticket(clock, "a" * 32)
        answers = await asyncio.gather(*(tickets.open(sent) for _ in range(8)), return_exceptions=True)
        cookies = [one for one in answers if not isinstance(one, BaseException)]
        assert [type(one) for one in answers if isinstance(one, BaseException)] == [LinkSpentError] * 7
        assert await made.accounts.read(cookies[0].value) == Holder("acme", "uid-acme")
        assert await made.accounts.read("a" * 32) is None
        for wrong in (ticket(clock, "b" * 32, "6" * 64), ticket(clock, "c" * 32)[:-4], "", "x.y"):
            with pytest.raises(LinkSpentError):
                await tickets.open(wrong)
        old = ticket(clock, "d" * 32)
        later(timedelta(minutes=3))
        with pytest.raises(LinkSpentError):
            await tickets.open(old)


async def test_without_the_key_of_the_tenant_none_opens(settings: Settings, clock: TestClock) -> None:
    made = composition.infrastructure(settings, clock)
    async with made.open():
        for known in (directory(id="u5g5446au3"), directory(id="another", accountKey=public_half(SIGNING_KEY))):
            with pytest.raises(LinkSpentError):
                await AccountTickets(known, made.accounts, clock).open(ticket(clock, "e" * 32))
        with pytest.raises(UnavailableError):
            await AccountTickets(TenantDirectory(), made.accounts, clock).open(ticket(clock, "f" * 32))
