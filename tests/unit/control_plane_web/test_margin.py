"""Cost and margin of a tenant on the staff's page."""

from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.margin_fakes import FakeMargins
from vivero_control.domain.margins.policies import Revenue
from vivero_control.domain.margins.schemas import RevenueOf
from vivero_control.web.staff_shell import HOME

PAGE = f"{HOME}/northwind/margin"


def test_cost_revenue_and_what_is_left(staff: TestClient[Any]) -> None:
    assert f'href="{PAGE}"' in staff.get(f"{HOME}/northwind").text
    page = staff.get(PAGE).text
    for said in ("€9.60", "5 GiB", "€0.12 a GiB", "€4,166.67", "€4,157.07", "99.8\u00a0%", "Contract"):
        assert said in page, said


@pytest.mark.parametrize(
    ("margins", "said"),
    [
        (FakeMargins(None), "What a workspace costs is not known here"),
        (FakeMargins(stored=None), "While a cost is not known, no margin is given."),
        (
            FakeMargins(revenue=Revenue(RevenueOf.SUBSCRIPTION, 10_000, "USD")),
            "Costs and revenue are in two currencies",
        ),
        (FakeMargins(revenue=Revenue(RevenueOf.NOTHING, 0, "EUR")), "\N{MINUS SIGN}€9.60"),
    ],
)
def test_what_is_not_known_is_said(margins: FakeMargins, said: str) -> None:
    with browser(margins=margins) as client:
        assert said in logged_in(client).get(PAGE).text
