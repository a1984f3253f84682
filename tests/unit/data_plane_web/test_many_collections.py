"""Every collection is found: in the sidebar, on the page of all, in the palette; and a table has all its columns."""

import re
from html import unescape

import pytest
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import World
from vivero_data.domain.users.schemas import Role
from vivero_data.web.page import NAV_COLLECTIONS

NAMES = [f"Shelf {number:02}" for number in range(1, 24)]


@pytest.fixture
def shelves(browser: Browser) -> Browser:
    for name in NAMES:
        browser.send("/new-collection", name=name, field__0__name="Title", field__0__type="text")
    browser.open("/")  # takes the notice
    return browser


def sidebar(page: str) -> list[tuple[str, str]]:
    """Its lines, in words, and where they lead."""
    nav = page.partition('<nav aria-label="Main"')[2].partition("</nav>")[0]
    found = re.findall(r'<a class="v-nav-item" href="([^"]+)".*?<span[^>]*>([^<]+)</span>', nav, re.DOTALL)
    return [(unescape(words), href) for href, words in found]


def test_the_sidebar_shows_some_and_leads_to_all(shelves: Browser) -> None:
    lines = sidebar(shelves.open("/"))
    assert [words for words, href in lines if href.startswith("/collections/")] == NAMES[:NAV_COLLECTIONS]
    assert ("All 23 collections", "/collections") in lines


def test_the_sidebar_shows_where_one_is(shelves: Browser) -> None:
    page = shelves.open("/collections/Shelf 20")
    assert ("Shelf 20", "/collections/Shelf%2020") in sidebar(page)
    assert page.count('aria-current="page"') == 1


def test_few_collections_need_no_page_of_all(browser: Browser) -> None:
    browser.customers()
    assert "All 1 collection" not in browser.open("/")


def test_the_page_of_all_has_every_one(shelves: Browser, world: World) -> None:
    world.page_size = 9
    found: list[str] = []
    path = "/collections"
    while path:
        page = shelves.open(path)
        found += re.findall(r'hover:underline">([^<]+)<', page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = unescape(following[1]) if following else ""
    assert found == NAMES
    assert "5 collections of 23" in page


def test_the_page_of_all_is_searched(shelves: Browser) -> None:
    page = shelves.open("/collections?q=SHELF 2")
    rows = page.partition("<tbody>")[2]
    assert [name for name in NAMES if f">{name}<" in rows] == ["Shelf 20", "Shelf 21", "Shelf 22", "Shelf 23"]
    assert 'name="q" value="SHELF 2"' in page
    nothing = shelves.open("/collections?q=<x>")
    assert "No collection matches" in nothing
    assert "<x>" not in nothing


@pytest.mark.parametrize("name", NAMES)
def test_the_palette_finds_every_one(shelves: Browser, name: str) -> None:
    answer = shelves.open(f"/palette?q={name.upper()}")
    assert f"Go to {name}<" in answer
    assert f'href="/collections/{name.replace(" ", "%20")}/new"' in answer
    ids = re.findall(r'\bid="([^"]+)"', answer)
    assert len(ids) == len(set(ids)) == 2


def test_the_palette_offers_what_one_may_and_a_bounded_piece(shelves: Browser, world: World) -> None:
    assert shelves.open("/palette?q=").count('role="option"') == 20
    world.role = Role.VIEWER
    viewers = shelves.open("/palette?q=shelf 07")
    assert "Go to Shelf 07" in viewers
    assert "New record" not in viewers
    assert shelves.open("/palette?q=" + "x" * 500).count("role") == 0


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("new record in shelf 07", ["New record in Shelf 07"]),
        ("GO TO  Shelf 07", ["Go to Shelf 07"]),
        ("New record in", []),
        ("shelf 07", ["Go to Shelf 07", "New record in Shelf 07"]),
    ],
)
def test_the_palette_knows_its_own_words(shelves: Browser, typed: str, offered: list[str]) -> None:
    answer = shelves.open(f"/palette?q={typed}")
    assert re.findall(r"(?:Go to|New record in) [^<]+(?=<)", answer) == offered


def test_the_palette_of_a_stranger_has_nothing(shelves: Browser, world: World) -> None:
    world.signed_in = False
    answer = shelves.client.get("/palette?q=s", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


def test_a_page_is_as_heavy_with_many_collections_as_with_some(shelves: Browser, world: World) -> None:
    many = len(shelves.open("/"))
    for name in NAMES[NAV_COLLECTIONS:]:
        del world.collections[name]
    assert many - len(shelves.open("/")) < 2000, "a search box and two links to all of them"


@pytest.mark.parametrize("count", [1, 8, 50])
def test_a_table_has_a_column_for_each_field(browser: Browser, world: World, count: int) -> None:
    fields = [f"Field {number}" for number in range(count)]
    form = {f"field-{number}-name": name for number, name in enumerate(fields)}
    form |= {f"field-{number}-type": "integer" for number in range(1, count)}
    browser.send("/new-collection", name="Wide", **form)
    first = world.collections["Wide"].fields[0]
    browser.send("/collections/Wide/new", **{f"f{first.id}": "x"})
    page = browser.open("/collections/Wide")
    head = page.partition("<thead>")[2].partition("</thead>")[0]
    assert re.findall(r"Field \d+(?=<)", head) == fields
    assert page.partition("<tbody>")[2].count("<td") == count + 2, "and one to select it, one that says when it changed"
    assert re.search(r'<div class="v-grid-box [^"]*" id="records" role="region" aria-label="Wide" tabindex="0"', page)


def test_a_long_text_is_short_in_a_table_and_whole_in_its_form(browser: Browser) -> None:
    names = browser.customers()
    text = "word " * 3000
    browser.send("/collections/Customers/new", **{names["Company"]: "Acme", names["Notes"]: text})
    assert browser.open("/collections/Customers").count("word") < 100
    page = browser.open("/collections/Customers")
    assert text[:100] in page
    assert text[:500] not in page
    path = re.search(r"/collections/Customers/records/\d+", page)
    assert path
    assert text in browser.open(path[0])


@pytest.mark.parametrize(
    ("kind", "unique", "chosen", "words"),
    [
        ("text", "", (False, False), "None"),
        ("text", "exact", (True, True), "No two the same"),
        ("text", "alike", (True, False), "No two that read alike"),
        ("email", "alike", (True, False), "No two that read alike"),
        ("url", "exact", (True, True), "No two the same"),
        ("choice", "exact", (True, True), "No two the same"),
        ("number", "exact", (True, False), "No two the same"),
        ("date", "alike", (True, False), "No two the same"),
    ],
)
def test_what_is_the_same_is_chosen_with_the_field(
    browser: Browser, world: World, kind: str, unique: str, chosen: tuple[bool, bool], words: str
) -> None:
    form = {"field-0-name": "F", "field-0-type": kind, "field-0-unique": unique, "field-0-choices": "a"}
    browser.send("/new-collection", name="Things", **form)
    (made,) = world.collections["Things"].fields
    assert (made.unique, made.unique and made.exact) == chosen
    assert f">{words}<" in browser.open("/collections/Things/fields")


@pytest.mark.parametrize("kind", ["long_text", "boolean"])
def test_what_cannot_be_unique_says_so_at_its_row(browser: Browser, kind: str) -> None:
    form = {"field-0-name": "F", "field-0-type": kind, "field-0-unique": "exact"}
    page = browser.send("/new-collection", 422, name="Things", **form)
    assert re.search(r'id="field-0-error".*?Unique is not possible', page, re.DOTALL)
    assert '<option value="exact" selected>' in page


def test_favourites_come_first_and_once(shelves: Browser, world: World) -> None:
    world.favourites = {"Shelf 23", "Shelf 02"}
    sidebar = shelves.open("/").partition("<aside")[2].partition("</aside>")[0]
    lines = re.findall(r'class="v-nav-item" href="([^"]+)"', sidebar)
    assert lines.count("/collections/Shelf%2002") == lines.count("/collections/Shelf%2023") == 1
    assert lines.index("/collections/Shelf%2023") < lines.index("/collections/Shelf%2001")
    page = shelves.open("/collections/Shelf%2023")
    assert 'aria-label="Remove from favourites"' in page
    assert page.count('aria-current="page"') == 1
    assert 'aria-label="Add to favourites"' in shelves.open("/collections/Shelf%2001")


def test_the_sidebar_has_a_search_box_once_it_shows_only_some(shelves: Browser, world: World) -> None:
    assert '<form method="get" action="/collections" role="search" aria-label="Collections"' in shelves.open("/")
    for name in NAMES[5:]:
        del world.collections[name]
    assert 'role="search" aria-label="Collections"' not in shelves.open("/")
