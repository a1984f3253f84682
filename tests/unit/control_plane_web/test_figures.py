"""The staff's pages about the figures of the business, and what is counted of visits."""

import re
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import HOSTILE, NOW, SUPPORT
from unit.control_plane_web.figure_fakes import NOTHING, ROWS, FakeFigures, FakeVisits, prospect
from vivero_control.domain.figures.schemas import Tile
from vivero_control.domain.figures.service import Rows, view_of
from vivero_control.web import staff_shell
from vivero_control.web.figures import amount, share_words, week_words

PAGE = staff_shell.FIGURES
LOADS = {"sec-fetch-dest": "document"}


def test_the_page_says_how_it_goes_and_every_tile_opens_its_rows(staff: TestClient[Any]) -> None:
    text = staff.get(PAGE).text
    for words in (
        "€19,666.67",
        "€236,000 a year",
        "Customers lost in 30 days",
        "newsletter",
        "spring",
        "16–22 Nov 2026",
    ):
        assert words in text, words
    for tile in ("paying", "lost", "conversion"):
        assert f'href="{PAGE}/{tile}"' in text
    assert f'href="{PAGE}"' in staff.get("/staff/tenants").text


@pytest.mark.parametrize("tile", Tile)
def test_the_rows_are_as_many_as_the_figure(staff: TestClient[Any], tile: Tile) -> None:
    week = view_of(ROWS).weeks[3]
    figures = {
        Tile.SIGNUP: week.signups,
        Tile.CONFIRMED: week.confirmed.count,
        Tile.PROVISIONED: week.provisioned.count,
        Tile.PAID: week.paid.count,
    }
    text = staff.get(f"{PAGE}/{tile}?week={week.week}").text
    rows = len(re.findall(r">company-\d+<", text))
    assert rows > 0 or figures.get(tile) == 0
    assert rows == figures.get(tile, rows)


def test_nothing_yet_is_said_so() -> None:
    with browser(figures=FakeFigures(NOTHING)) as client:
        text = logged_in(client, SUPPORT).get(PAGE).text
        rows = client.get(f"{PAGE}/paying").text
    for words in ("None yet", "Not known yet", "No trial has ended yet.", "No visits and no signups"):
        assert words in text
    assert "there is nothing behind it" in rows


def test_what_somebody_typed_stays_words_and_another_address_is_not_there() -> None:
    odd = Rows([prospect(company=HOSTILE, source=HOSTILE[:60])], [], [], NOW)
    with browser(figures=FakeFigures(odd)) as client:
        logged_in(client)
        for path in (PAGE, f"{PAGE}/signup", f"{PAGE}/signup?week=soon"):
            assert "<script>alert" not in client.get(path).text
        assert client.get(f"{PAGE}/happiness").status_code == 404


def test_only_page_loads_of_browsers_are_counted() -> None:
    visits = FakeVisits()
    with browser(visits=visits) as client:
        client.get("/?utm_source=news&utm_campaign=spring&email=ada@example.com", headers=LOADS)
        client.get("/", headers=LOADS | {"referer": "https://blog.example/post?who=ada"})
        client.get("/", headers=LOADS | {"sec-purpose": "prefetch"})
        client.get("/")
        client.get("/pricing", headers=LOADS)
    assert [one.said for one in visits.counted] == [
        {"utm_source": "news", "utm_campaign": "spring"},
        {"referrer": "blog.example"},
    ]


def test_words_of_figures() -> None:
    shown = view_of(ROWS).churn.rate
    assert share_words(shown) == "9\N{NO-BREAK SPACE}% (2\N{EN DASH}38\N{NO-BREAK SPACE}%)"
    assert amount(123_45, "EUR") == "€123.45"
    assert amount(123_400, "USD") == "1,234.00 USD"
    weeks = [week_words(one.week) for one in view_of(ROWS).weeks]
    assert weeks[3] == "26 Oct \N{EN DASH} 1 Nov 2026"
