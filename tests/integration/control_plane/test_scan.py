"""The control plane through a scanner, as nobody and as staff: it finds nothing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from integration.control_plane.support import ADMIN, DOMAIN, TestClock, running
from support.scanner import QUICK, WHOLE, Pace, Target, scan
from vivero_control.app import create_program
from vivero_control.domain.signups.policies import SlugTakenError
from vivero_control.domain.signups.provisioning import Provisioner, TenantRequest
from vivero_control.domain.staff.sessions import SESSION_COOKIE
from vivero_control.settings import Settings
from vivero_control.web.pages import pages

OWN_PAGE = {"Host": DOMAIN, "Sec-Fetch-Site": "same-origin"}
# Its session is to last, and what staff do to tenants is done to those of the platform under test: the fuzz does it.
CLOSED = ("/staff/logout", "/staff/tenants/*")


@pytest.fixture
def address(settings: Settings, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Signups are recorded, and none of them gets a Tenant."""

    async def taken(_: Provisioner, tenant_request: TenantRequest) -> None:
        raise SlugTakenError(tenant_request.slug)

    monkeypatch.setattr(Provisioner, "provision", taken)
    limits = settings.limits.model_copy(update={"requests_per_minute": 10_000_000})
    with running(create_program(settings.model_copy(update={"limits": limits}), pages(), clock).public) as made:
        yield made


@pytest.mark.parametrize("pace", [QUICK, pytest.param(WHOLE, marks=pytest.mark.full)], ids=["quick", "whole"])
@pytest.mark.parametrize("who", ["nobody", "staff"])
def test_a_scanner_finds_nothing(address: str, tmp_path: Path, pace: Pace, who: str) -> None:
    cookies = session(address) if who == "staff" else {}
    begin = ("/staff/tenants", "/staff/dead-letters", "/staff/deleted") if cookies else ()
    found = scan(Target(address, cookies, CLOSED, begin, {"Host": DOMAIN}), tmp_path, pace)
    assert found.pages >= 4
    assert found.findings == []
    assert found.called == []


def session(address: str) -> dict[str, str]:
    form = {"email": ADMIN[0], "password": ADMIN[1]}
    answer = httpx.post(f"{address}/staff/login", data=form, headers=OWN_PAGE, timeout=30)
    assert answer.status_code == 303, answer.text
    return {SESSION_COOKIE: answer.headers["set-cookie"].partition("=")[2].partition(";")[0]}
