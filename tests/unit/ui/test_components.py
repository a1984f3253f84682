"""The macros with every state, and with names that want to be markup."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, UndefinedError
from vivero_ui.errors import error_page
from vivero_ui.shell import Account, Command, NavItem, NavSection, Shell
from vivero_ui.templates import environment, render, template_config

HOSTILE = "<script>alert(1)</script>\"'`&"


@pytest.fixture(scope="module")
def kit() -> Environment:
    return environment([])


def draw(kit: Environment, source: str, **context: object) -> str:
    return kit.from_string(source).render(**context)


def test_undefined_names_raise(kit: Environment) -> None:
    with pytest.raises(UndefinedError):
        draw(kit, "{{ nothing }}")


@given(name=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_text_becomes_markup(kit: Environment, name: str) -> None:
    source = (
        '{% from "vivero/forms.html.j2" import field %}{% from "vivero/buttons.html.j2" import copyable %}'
        '{% from "vivero/feedback.html.j2" import alert, badge %}'
        '{{ field("x", n, n, help=n, error=n) }}{{ copyable(n) }}{{ alert("info", n, n) }}{{ badge(n) }}'
    )
    empty = draw(kit, source, n="a")
    drawn = draw(kit, source, n="a" + name)
    assert drawn.count("<") == empty.count("<")
    assert drawn.count('"') == empty.count('"')


def test_a_field_with_an_error_says_so_to_everyone(kit: Environment) -> None:
    source = '{% from "vivero/forms.html.j2" import field %}{{ field("mail", "E-mail", v, error=e, help="h") }}'
    drawn = draw(kit, source, v=HOSTILE, e="Too short.")
    assert 'aria-invalid="true"' in drawn
    assert 'aria-describedby="mail-error mail-help"' in drawn
    assert "&lt;script&gt;" in drawn
    plain = draw(kit, source, v="", e="")
    assert "aria-invalid" not in plain
    assert 'aria-describedby="mail-help"' in plain


def test_the_secret_of_a_link_can_be_pasted_where_no_script_fills_it_in(kit: Environment) -> None:
    source = '{% from "vivero/forms.html.j2" import link_secret %}{{ link_secret("ticket") }}'
    drawn = draw(kit, source)
    assert "data-link-secret" in drawn
    assert 'name="ticket" type="text"' in drawn
    assert 'autocomplete="off"' in drawn


@pytest.mark.parametrize(
    ("used", "limit", "colour"),
    [(1, 10, "text-primary"), (8, 10, "text-caution"), (95, 100, "text-error"), (0, 0, "text-primary")],
)
def test_a_meter_warns_before_the_limit(kit: Environment, used: int, limit: int, colour: str) -> None:
    source = '{% from "vivero/feedback.html.j2" import meter %}{{ meter("Records", u, l, u, l) }}'
    assert colour in draw(kit, source, u=used, l=limit)


def test_no_limit_has_no_bar(kit: Environment) -> None:
    source = '{% from "vivero/feedback.html.j2" import meter %}{{ meter("Records", 3, none, "3", "") }}'
    drawn = draw(kit, source)
    assert "<progress" not in drawn
    assert "no limit" in drawn


@pytest.mark.parametrize(
    ("sort", "said", "link"),
    [("name", "ascending", "sort=-name"), ("-name", "descending", "sort=name"), ("", "", "sort=name")],
)
def test_a_sorted_column_says_its_order_and_links_to_the_other(
    kit: Environment, sort: str, said: str, link: str
) -> None:
    source = (
        '{% from "vivero/tables.html.j2" import data_table, cell %}'
        '{% call(row) data_table([{"label": "Name", "sort": "name"}], [1], "T", "/t?q=x&page=4", s) %}'
        '{{ cell(row, "Name") }}{% endcall %}'
    )
    drawn = draw(kit, source, s=sort)
    assert f"/t?q=x&amp;{link}" in drawn
    assert ("aria-sort" in drawn) == bool(said)
    assert f'aria-sort="{said}"' in drawn or not said


@pytest.mark.parametrize("kind", ["clip", "wrap"])
def test_words_of_a_cell_run_in_their_own_direction(kit: Environment, kind: str) -> None:
    drawn = draw(kit, f'{{% from "vivero/tables.html.j2" import cell %}}{{{{ cell("شركة", "Name", {kind}=true) }}}}')
    assert f'<div class="v-{kind}" dir="auto">شركة</div>' in drawn
    assert "dir=" not in draw(kit, '{% from "vivero/tables.html.j2" import cell %}{{ cell("1", "Age") }}')


@pytest.mark.parametrize("name", ["field", "textarea"])
def test_typed_words_run_in_their_own_direction(kit: Environment, name: str) -> None:
    drawn = draw(kit, f'{{% from "vivero/forms.html.j2" import {name} %}}{{{{ {name}("x", "Name", "شركة") }}}}')
    assert 'dir="auto"' in drawn


@pytest.mark.parametrize(
    ("hrefs", "links", "disabled"), [(("", ""), 0, 0), (("", "/n"), 1, 1), (("/p", ""), 1, 1), (("/p", "/n"), 2, 0)]
)
def test_pager(kit: Environment, hrefs: tuple[str, str], links: int, disabled: int) -> None:
    source = '{% from "vivero/tables.html.j2" import pager %}{{ pager("1 of 2", p, n) }}'
    drawn = draw(kit, source, p=hrefs[0], n=hrefs[1])
    assert drawn.count("<a ") == links
    assert drawn.count("disabled>") == disabled


def test_steps_say_their_state_in_words(kit: Environment) -> None:
    items = [{"name": "A", "state": s, "detail": "", "took": 1.5} for s in ("done", "now", "wait", "failed")]
    drawn = draw(kit, '{% from "vivero/feedback.html.j2" import steps %}{{ steps(i) }}', i=items)
    for words in ("done", "under way", "waiting", "failed"):
        assert f": {words}" in drawn
    assert "1.50 s" in drawn


def test_relative_time_has_the_exact_one(kit: Environment) -> None:
    source = '{% from "vivero/feedback.html.j2" import relative %}{{ relative(m) }}'
    drawn = draw(kit, source, m=datetime(2026, 11, 7, 14, 3, tzinfo=UTC))
    assert 'datetime="2026-11-07T14:03:00.000Z"' in drawn
    assert 'title="7 Nov 2026, 14:03 UTC"' in drawn
    assert draw(kit, source, m=None).strip() == ""


def test_buttons_take_attributes(kit: Environment) -> None:
    source = '{% from "vivero/buttons.html.j2" import button %}{{ button("Go", attrs=a) }}{{ button("L", href="/x") }}'
    drawn = draw(kit, source, a={"name": HOSTILE, "autofocus": True, "disabled": False, "x": None})
    assert " autofocus" in drawn
    assert "disabled" not in drawn
    assert " x=" not in drawn
    assert "<script>" not in drawn
    assert '<a href="/x"' in drawn


def shell(**changes: object) -> Shell:
    made = {
        "brand": HOSTILE,
        "home_href": "/",
        "sections": (NavSection((NavItem("Tenants", "/t", "boxes", active=True, count=12000),), "Group"),),
        "account": Account(HOSTILE, "ada@example.org", "/logout"),
        "subtitle": "Trial",
        "search_href": "/t?q=",
        "search_label": "Search for",
        "commands": (Command("New", "/new", "plus"),),
    }
    return Shell(**(made | changes))  # type: ignore[arg-type]


def test_the_shell_shows_place_account_and_commands(kit: Environment) -> None:
    drawn = render(kit, "vivero/app.html.j2", shell=shell())
    assert drawn.count('aria-current="page"') == 1
    assert "12,000" in drawn
    assert "<script>alert" not in drawn
    assert 'data-palette-search="/t?q="' in drawn
    assert 'action="/logout"' in drawn


def test_a_searched_section_is_what_the_palette_found_at_first(kit: Environment) -> None:
    more = NavItem("All 900 shelves", "/shelves", "boxes")
    section = NavSection((NavItem("Shelf 1", "/s/1", "table-2"),), "Shelves", more=more, searched=True)
    drawn = render(kit, "vivero/app.html.j2", shell=shell(sections=(section,), palette_href="/find?q="))
    palette = drawn.partition('<dialog id="palette"')[2]
    found = palette.partition("data-palette-found>")[2].partition("</div>")[0]
    assert 'data-palette-from="/find?q="' in palette
    assert "Go to Shelf 1" in found
    assert palette.count("Go to Shelf 1") == 1
    assert "All 900 shelves" not in palette
    assert 'href="/shelves"' in drawn.partition("</nav>")[0]


def test_a_table_is_scrolled_by_the_keyboard(kit: Environment) -> None:
    source = (
        '{% from "vivero/tables.html.j2" import data_table, cell %}'
        '{% call(row) data_table([{"label": n}], [1], "T") %}{{ cell(n, n, clip=true) }}{% endcall %}'
    )
    drawn = draw(kit, source, n=HOSTILE)
    assert 'role="region" aria-label="T" tabindex="0"' in drawn
    assert "<script>" not in drawn
    assert 'title="&lt;script&gt;' in drawn, "a head that may be cut says all of it"


def test_the_shell_without_account_and_search(kit: Environment) -> None:
    drawn = render(kit, "vivero/app.html.j2", shell=shell(account=None, search_href="", subtitle=""))
    assert "/logout" not in drawn
    assert "data-palette-search" not in drawn


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 500, 502, 503])
def test_error_pages_say_what_happened_and_what_to_do(kit: Environment, status: int) -> None:
    page = error_page(status, "req-1")
    drawn = render(kit, "vivero/error.html.j2", error=page)
    assert f"Error {status}" in drawn
    assert page.advice
    assert "req-1" in drawn


def test_an_error_pages_detail_is_escaped(kit: Environment) -> None:
    drawn = render(kit, "vivero/error.html.j2", error=error_page(409, detail=HOSTILE))
    assert "<script>alert" not in drawn
    assert "Request" not in drawn


def test_a_programs_own_templates_come_first(tmp_path: Path) -> None:
    (tmp_path / "page.html.j2").write_text("{{ word }}")
    made = environment([tmp_path], {"word": "<b>"})
    assert render(made, "page.html.j2") == "&lt;b&gt;"
    assert template_config([tmp_path]).engine_instance.engine.autoescape
