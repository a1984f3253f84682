"""The control plane through a scanner, as nobody and as staff: it finds nothing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from integration.control_plane.support import ADMIN, TestClock, running
from pydantic import AnyHttpUrl
from support.scanner import QUICK, WHOLE, Pace, scan
from vivero_control.app import create_program
from vivero_control.domain.signups.errors import SlugTakenError
from vivero_control.domain.signups.provisioning import Order, Provisioning
from vivero_control.domain.staff.sessions import SESSION_COOKIE
from vivero_control.settings import Settings
from vivero_control.web.pages import pages

# Its session is to last, and what staff do to tenants is done to those of the platform under test: the fuzz does it.
CLOSED = ("/staff/logout", "/staff/tenants/*")


@pytest.fixture
def address(settings: Settings, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """At its own name, so that it answers as such; signups are recorded, and none of them gets a Tenant."""

    async def taken(_: Provisioning, order: Order) -> None:
        raise SlugTakenError(order.slug)

    monkeypatch.setattr(Provisioning, "carry_out", taken)
    limits = settings.limits.model_copy(update={"requests_per_minute": 10_000_000})
    roomy = settings.model_copy(update={"public_url": AnyHttpUrl("https://127.0.0.1"), "limits": limits})
    with running(create_program(roomy, pages(), clock).public) as made:
        yield made


@pytest.mark.parametrize("pace", [QUICK, pytest.param(WHOLE, marks=pytest.mark.full)], ids=["quick", "whole"])
@pytest.mark.parametrize("who", ["nobody", "staff"])
def test_a_scanner_finds_nothing(address: str, tmp_path: Path, pace: Pace, who: str) -> None:
    cookies = session(address) if who == "staff" else {}
    found = scan(address, tmp_path, pace, cookies, CLOSED)
    assert found.pages >= 4
    assert found.findings == []
    assert found.called == []


def session(address: str) -> dict[str, str]:
    form = {"email": ADMIN[0], "password": ADMIN[1]}
    answer = httpx.post(f"{address}/staff/login", data=form, headers={"Sec-Fetch-Site": "same-origin"}, timeout=30)
    assert answer.status_code == 303, answer.text
    return {SESSION_COOKIE: answer.headers["set-cookie"].partition("=")[2].partition(";")[0]}
