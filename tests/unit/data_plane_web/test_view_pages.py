"""The toolbar above a table: filter, order, search, count and saved views, for a person without a script."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import World
from vivero_data.domain.records.advice import Advice
from vivero_data.domain.records.filters import AllOf, AnyOf, Condition, Not, Tree
from vivero_data.domain.records.indexing import AddIndex
from vivero_data.domain.users.schemas import Role
from vivero_data.domain.views.schemas import RowHeight
from vivero_data.lib.json import encode
from vivero_data.web.filter_rows import FilterForm, FilterRow, act, read_form, tree_of
from vivero_data.web.filter_rows import form_of as rows_of

HERE = "/collections/Customers"
ACME, BLOOM = Condition("Company", "contains", "Acme"), Condition("Company", "contains", "Bloom")
MANY, PAID = Condition("Staff", "gt", "5"), Condition("Paid", "eq", "true")


@pytest.fixture
def customers(browser: Browser) -> Browser:
    names = browser.customers()
    for company, staff in (("Acme", "3"), ("Bloom", "7"), ("Cedar", "9")):
        browser.send(f"{HERE}/new", **{names["Company"]: company, names["Staff"]: staff})
    return browser


def shown(page: str) -> list[str]:
    return [name for name in ("Acme", "Bloom", "Cedar") if f">{name}</a>" in page]


def address(tree: Tree, **more: str) -> str:
    return f"{HERE}?{urlencode({'where': encode(tree), **more})}"


def goes_to(browser: Browser, path: str, **params: str) -> dict[str, str]:
    answer = browser.client.get(f"{HERE}/{path}?{urlencode(params)}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def test_groups_of_conditions_are_found_and_told(customers: Browser) -> None:
    page = customers.open(address(AllOf((MANY, AnyOf((ACME, BLOOM))))))
    assert shown(page) == ["Bloom"]
    assert "Staff is more than 5" in page
    assert "Company contains Acme or Company contains Bloom" in page
    first = re.search(r'href="([^"]+)" class="v-chip" aria-label="Remove the condition Staff', page)
    assert first
    assert shown(customers.open(unescape(first[1]))) == ["Acme", "Bloom"]


@pytest.mark.parametrize(
    "tree",
    [
        MANY,
        AllOf((MANY, PAID)),
        AnyOf((MANY, PAID)),
        AllOf((MANY, AnyOf((ACME, BLOOM)))),
        AnyOf((AllOf((MANY, PAID)), AllOf((ACME, BLOOM)), PAID)),
        AllOf((Condition("Since", "gte", "2026-01-01"), Condition("Notes", "empty"))),
        Condition("Status", "in", ["Lead", "Active"]),
        Condition("created_at", "lt", "2026-01-01T10:00:00Z"),
    ],
)
def test_the_form_shows_a_filter_and_sends_it_back(browser: Browser, world: World, tree: Tree) -> None:
    browser.customers()
    collection = world.collections["Customers"]
    form = rows_of(collection, tree)
    assert form is not None
    again = tree_of(collection, form)
    loose = sorted(encode(part) for part in (again.all if isinstance(again, AllOf) else [again]) if part)
    assert loose == sorted(encode(part) for part in (tree.all if isinstance(tree, AllOf) else [tree]))


def test_a_filter_that_rows_cannot_show_stays_until_it_is_removed(customers: Browser, world: World) -> None:
    deep = AllOf((Not(ACME), AnyOf((MANY, AllOf((PAID, BLOOM))))))
    assert rows_of(world.collections["Customers"], deep) is None
    page = customers.open(address(deep))
    assert "nested deeper" in page
    sent = form_of(page, f"{HERE}/filter", "get")
    assert goes_to(customers, "filter", **sent, action="apply") == {}


def test_rows_are_added_and_removed_without_a_script(customers: Browser) -> None:
    page = customers.open(f"{HERE}/filter?" + urlencode({"shown": f"where={encode(MANY)}"}))
    sent = form_of(page, f"{HERE}/filter", "get")
    assert (sent["c0-field"], sent["c0-operator"], sent["c0-value"]) == ("Staff", "gt", "5")
    page = customers.open(f"{HERE}/filter?{urlencode({**sent, 'action': 'group'})}")
    sent = form_of(page, f"{HERE}/filter", "get")
    assert (sent["c1-group"], sent["match-1"]) == ("1", "any")
    page = customers.open(f"{HERE}/filter?{urlencode({**sent, 'action': 'add-1'})}")
    sent = form_of(page, f"{HERE}/filter", "get")
    assert sent["c2-group"] == "1"
    sent |= {"c1-field": "Company", "c1-operator": "contains", "c1-value": "Acme"}
    sent |= {"c2-field": "Company", "c2-operator": "contains", "c2-value": "Bloom"}
    where = goes_to(customers, "filter", **sent, action="apply")["where"]
    assert where == encode(AllOf((MANY, AnyOf((ACME, BLOOM)))))
    page = customers.open(f"{HERE}/filter?{urlencode({**sent, 'action': 'remove-0'})}")
    assert form_of(page, f"{HERE}/filter", "get")["c0-value"] == "Acme"


def test_another_field_has_other_conditions_and_another_control(customers: Browser) -> None:
    row = {"match": "all", "c0-field": "Since", "c0-operator": "contains", "c0-value": "a"}
    page = customers.open(f"{HERE}/filter?{urlencode(row)}")
    assert '<input type="date"' in page
    assert ">is after</option>" in page
    assert ">contains</option>" not in page
    row = {"match": "all", "c0-field": "Status", "c0-operator": "in"}
    assert 'type="checkbox"' in customers.open(f"{HERE}/filter?{urlencode(row)}")
    row = {"match": "all", "c0-field": "Paid", "c0-operator": "eq"}
    assert ">Yes</option>" in customers.open(f"{HERE}/filter?{urlencode(row)}")


def test_a_form_is_bounded_whatever_is_sent(browser: Browser, world: World) -> None:
    browser.customers()
    collection = world.collections["Customers"]
    odd = [
        ("c999-field", "x"),
        ("c0-group", "99"),
        ("c1-value", "y"),
        ("match-7", "any"),
        ("c-1-field", "z"),
        ("match", "?"),
    ]
    form = read_form([*odd, *((f"c{place}-field", "Staff") for place in range(99))])
    assert len(form.rows) == 20
    assert form.match() == "all"
    assert act(collection, form, "add") == act(collection, form, "group") == form
    assert act(collection, FilterForm(), "remove-9") == FilterForm()
    assert tree_of(collection, FilterForm((FilterRow("Staff", "gt"),))) is None, "not finished yet"


def test_a_table_is_arranged_by_its_forms(customers: Browser) -> None:
    assert goes_to(customers, "arrange", shown="sort=Staff&cursor=x", search=" bloom ") == {
        "sort": "Staff",
        "search": "bloom",
    }
    assert shown(customers.open(f"{HERE}?search=bloom")) == ["Bloom"]
    order = {"sort-0": "Staff", "down-0": "1", "sort-1": "Company", "down-1": "", "sort-2": "", "down-2": ""}
    assert goes_to(customers, "arrange", shown="search=b", **order) == {"search": "b", "sort": "-Staff,Company"}
    assert goes_to(customers, "arrange", shown="sort=Staff", **dict.fromkeys(order, "")) == {}


def test_a_count_is_a_line_of_its_own(customers: Browser, world: World) -> None:
    assert "2 records match" in customers.open(f"{HERE}/count?{urlencode({'where': encode(MANY)})}")
    row = {"shown": "", "match": "all", "c0-field": "Staff", "c0-operator": "gt", "c0-value": "8"}
    assert "1 record matches" in customers.open(f"{HERE}/count?{urlencode(row)}")
    assert "Staff must be a number" in customers.open(f"{HERE}/count?{urlencode({**row, 'c0-value': 'x'})}")
    world.slow = Advice("where", "slow")
    page = customers.open(f"{HERE}/count?{urlencode({'where': encode(MANY)})}")
    assert "Many match" in page
    again = re.search(r'hx-get="([^"]+)"', page)
    assert again
    assert "2 records match" in customers.open(unescape(again[1]))


def words(page: str) -> list[str]:
    return re.sub(r"<[^>]+>", " ", page).split()


def test_totals_are_the_last_row_of_a_table_and_a_line_of_a_board(customers: Browser) -> None:
    query = urlencode({"sums": "Staff:sum,Company:count", "where": encode(MANY)})
    page = customers.open(f"{HERE}?{query}")
    asked = re.search(r'<tfoot class="v-foot" hx-get="([^"]+)"', page)
    assert asked
    row = customers.open(unescape(asked[1]))
    assert words(row) == ["filled", "2", "sum", "16"]
    assert row.count("<td") + 2 == page.partition("</thead>")[0].count("<th "), "a cell for each column"
    board = f"{query}&kind=board&group=Paid"
    assert 'aria-label="Totals"' in customers.open(f"{HERE}?{board}")
    assert words(customers.open(f"{HERE}/totals?{board}")) == ["Company", ":", "filled", "2", "Staff", ":", "sum", "16"]
    assert "Cannot be sum for Company" in customers.open(f"{HERE}/totals?sums=Company:sum")


def test_a_group_is_folded_by_its_heading_and_saved_with_the_view(customers: Browser, world: World) -> None:
    page = customers.open(f"{HERE}?group=Staff&sums=Staff:count")
    headings = re.findall(r'<tr class="v-group">.*?</tr>', page, re.DOTALL)
    assert [words(one) for one in headings] == [[staff, "1", "filled", "1"] for staff in "379"]
    folded = re.search(r'href="([^"]+)" class="v-fold" aria-expanded="true"', headings[1])
    assert folded
    page = customers.open(unescape(folded[1]))
    assert shown(page) == ["Acme", "Cedar"]
    assert 'aria-expanded="false" aria-label="Show the records of 7"' in page
    shown_now = urlsplit(unescape(folded[1])).query
    customers.send(f"{HERE}/views", name="By staff", shown=shown_now)
    ((_, view),) = world.views.values()
    assert (view.group_by, view.folded) == ("Staff", (7,))
    assert shown(customers.open(f"{HERE}?view={view.id}")) == ["Acme", "Cedar"]
    unfolded = re.search(
        r'href="([^"]+)" class="v-fold" aria-expanded="false"', customers.open(f"{HERE}?view={view.id}")
    )
    assert unfolded
    assert shown(customers.open(unescape(unfolded[1]))) == ["Acme", "Bloom", "Cedar"]


def test_another_group_forgets_what_is_folded(customers: Browser) -> None:
    shown_now = urlencode({"group": "Staff", "folded": "[7]"})
    assert "folded" in goes_to(customers, "arrange", shown=shown_now, **{"sort-0": "Company"})
    assert "folded" not in goes_to(customers, "arrange", shown=shown_now, group="Paid")


def test_a_slow_list_offers_the_index_to_who_may_add_it(customers: Browser, world: World) -> None:
    world.slow = Advice("sort", "Customers has 1,000,000 records: this list takes long.", ("Staff",))
    page = customers.open(f"{HERE}?sort=Staff")
    assert "this list takes long" in page
    assert shown(page) == []
    assert "No record matches" not in page
    assert shown(customers.open(f"{HERE}?sort=Staff&slow=1")) == ["Acme", "Bloom", "Cedar"]
    target = customers.send(f"{HERE}/indexes", **form_of(page, f"{HERE}/indexes"))
    assert world.orders == [AddIndex("Customers", ("Staff",))]
    assert "Waiting for its turn" in customers.open(target)
    world.role = Role.MEMBER
    page = customers.open(f"{HERE}?sort=Staff")
    assert "column-0" not in page
    assert "Show anyway" in page
    customers.send(f"{HERE}/indexes", 403, **{"column-0": "Staff"})


def saved(browser: Browser, shown_now: str, **form: str) -> str:
    return browser.send(f"{HERE}/views", shown=shown_now, **form)


def test_a_view_is_saved_changed_and_deleted(customers: Browser, world: World) -> None:
    page = customers.open(address(MANY, sort="-Staff"))
    sent = form_of(page, f"{HERE}/views")
    target = customers.send(f"{HERE}/views", **{**sent, "name": "Large", "shared": "true"})
    page = customers.open(target)
    assert shown(page) == ["Bloom", "Cedar"]
    assert page.index(">Cedar</a>") < page.index(">Bloom</a>")
    assert 'aria-current="page" class="v-tab" title="Large"' in page
    changed = re.search(r'href="([^"]+)" class="v-chip" aria-label="Remove the condition Staff', page)
    assert changed
    page = customers.open(unescape(changed[1]))
    assert shown(page) == ["Acme", "Bloom", "Cedar"]
    assert "differs from the view" in page
    assert shown(customers.open(target)) == ["Bloom", "Cedar"], "the view itself is as it was"
    number = target.rpartition("=")[2]
    again = customers.send(f"{HERE}/views/{number}", **form_of(page, f"{HERE}/views/{number}"))
    assert shown(customers.open(again)) == ["Acme", "Bloom", "Cedar"]
    page = customers.open(f"{HERE}/views/{number}")
    assert 'value="Large"' in page
    customers.send(f"{HERE}/views/{number}", name="Big", shared="true", default="true")
    assert 'title="Big"' in customers.open(HERE), "it is shown first"
    assert customers.send(f"{HERE}/views/{number}/delete") == f"{HERE}?view=all"
    assert world.views == {}
    customers.open(f"{HERE}?view={number}", 404)


def test_the_first_view_is_shown_until_another_is_asked_for(customers: Browser) -> None:
    number = saved(customers, urlencode({"where": encode(MANY)}), name="Large", shared="true").rpartition("=")[2]
    customers.send(f"{HERE}/views/{number}", name="Large", shared="true", default="true")
    assert shown(customers.open(HERE)) == ["Bloom", "Cedar"]
    assert shown(customers.open(f"{HERE}?view=all")) == ["Acme", "Bloom", "Cedar"]
    assert shown(customers.open(f"{HERE}?sort=Company")) == ["Acme", "Bloom", "Cedar"]


def test_a_view_has_its_own_columns(customers: Browser, world: World) -> None:
    number = saved(customers, "", name="Short").rpartition("=")[2]
    staff = next(field for field in world.collections["Customers"].fields if field.name == "Staff")
    to = customers.send(f"{HERE}/columns", shown=f"view={number}&edited=1", **{f"column-{staff.id}": "on"})
    page = customers.open(to)
    assert re.findall(r'data-name="([^"]+)"', page) == ["Company", "Staff"]
    customers.send(f"{HERE}/views/{number}", **form_of(page, f"{HERE}/views/{number}"))
    assert re.findall(r'data-name="([^"]+)"', customers.open(f"{HERE}?view={number}")) == ["Company", "Staff"]


def test_a_name_that_cannot_be_is_asked_for_again(customers: Browser) -> None:
    saved(customers, "", name="Large")
    page = customers.send(f"{HERE}/views", 409, shown="sort=Staff", name="Large")
    assert "Is the name of a view that exists" in page
    assert form_of(page, f"{HERE}/views")["shown"] == "sort=Staff"


def test_an_address_that_cannot_be_read_says_so(customers: Browser) -> None:
    for query in ("where={", "where=%7B%22all%22%3A%5B%5D%7D", "sort=Nothing", "sums=x:y", "search=" + "x" * 300):
        page = customers.open(f"{HERE}?{query}", 422)
        assert "This view cannot be shown" in page
        assert f'href="{HERE}?view=all"' in page


def test_a_record_leads_back_to_the_view_and_the_page_that_it_was_opened_from(customers: Browser, world: World) -> None:
    world.page_size = 2
    number = saved(customers, urlencode({"sort": "Company"}), name="By name").rpartition("=")[2]
    page = customers.open(f"{HERE}?view={number}&cursor=2")
    assert shown(page) == ["Cedar"]
    link = re.search(r'href="([^"]+/records/[^"]+)"', page)
    assert link
    path = unescape(link[1])
    action = urlsplit(path).path
    back = customers.send(action, **form_of(customers.open(path), action))
    assert parse_qsl(urlsplit(back).query) == [("view", number), ("cursor", "2")]


def test_totals_are_chosen_beside_the_columns(customers: Browser, world: World) -> None:
    fields = {one.name: one.id for one in world.collections["Customers"].fields}
    page = customers.open(HERE)
    menu = page[page.index(f'action="{HERE}/columns"') :]
    assert f'name="total-{fields["Staff"]}"' in menu
    chosen = {f"total-{number}": "" for number in fields.values()}
    chosen |= {
        f"total-{fields['Staff']}": "sum",
        f"total-{fields['Company']}": "count",
        f"column-{fields['Staff']}": "on",
    }
    answer = customers.client.post(f"{HERE}/columns", data={**chosen, "shown": "search=e"}, follow_redirects=False)
    query = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert query == {"search": "e", "sums": "Company:count,Staff:sum"}
    totals = customers.client.get(f"{HERE}/totals?{urlencode(query)}").text
    assert words(totals) == ["filled", "3", "sum", "19"]
    answer = customers.client.post(
        f"{HERE}/columns", data={**chosen, "shown": ""} | dict.fromkeys(chosen, ""), follow_redirects=False
    )
    assert "sums" not in answer.headers["location"]


def shown_columns(page: str) -> list[str]:
    return re.findall(r'data-name="([^"]+)"', page.partition("</thead>")[0])


@pytest.mark.parametrize("in_view", [False, True])
def test_columns_are_put_in_order(customers: Browser, world: World, in_view: bool) -> None:  # noqa: FBT001
    fields = {one.name: str(one.id) for one in world.collections["Customers"].fields}
    shown_now = ""
    if in_view:
        page = customers.open(saved(customers, urlencode({"sort": "-Staff"}), name="Sorted"))
        shown_now = form_of(page, f"{HERE}/columns")["shown"]
    chosen = {f"column-{fields[name]}": "on" for name in ("Value", "Staff", "Since")}

    def sent(**form: str) -> str:
        target = customers.send(f"{HERE}/columns", **{**chosen, "shown": shown_now, **form})
        return customers.open(target.partition("#")[0])

    assert shown_columns(sent()) == ["Company", "Value", "Staff", "Since"]
    order = ".".join(fields[name] for name in ("Since", "Value", "Staff"))
    assert shown_columns(sent(order=order)) == ["Company", "Since", "Value", "Staff"]
    assert shown_columns(sent(move=f"{fields['Since']}:earlier")) == ["Company", "Value", "Since", "Staff"]
    assert shown_columns(sent(move=f"{fields['Value']}:later")) == ["Company", "Staff", "Value", "Since"]
    for odd in (
        "",
        ":",
        "x:later",
        f"{fields['Value']}:sideways",
        f"{fields['Value']}:earlier",
        f"{fields['Mail']}:later",
    ):
        assert shown_columns(sent(move=odd)) == ["Company", "Value", "Staff", "Since"], odd
    assert shown_columns(sent(order="x.99..")) == ["Company", "Value", "Staff", "Since"]
    menu = sent(order=order)
    assert re.findall(r'id="column-(\d+)"', menu)[:5] == [
        fields[name] for name in ("Company", "Since", "Value", "Staff", "Notes")
    ]


def test_a_view_keeps_its_widths_whatever_else_is_saved_into_it(customers: Browser, world: World) -> None:
    target = saved(customers, urlencode({"columns": "Company,Staff:120,Value"}), name="Wide")
    number = int(target.rpartition("=")[2])
    page = customers.open(target)
    assert re.search(r'data-name="Staff"[^>]* data-width="120"', page)
    assert f'data-view="{number}"' in page
    edited = dict(parse_qsl(urlsplit(unescape(form_of(page, f"{HERE}/columns")["shown"])).path))
    assert edited["columns"] == "Company,Staff,Value"
    shown_now = urlencode({**edited, "columns": "Value,Staff", "sort": "Staff"})
    assert 'data-width="120"' in customers.open(f"{HERE}?{shown_now}")
    customers.send(f"{HERE}/views/{number}", shown=shown_now)
    _, view = world.views[number]
    assert [(one.field, one.width) for one in view.columns] == [("Value", None), ("Staff", 120)]


@pytest.mark.parametrize("height", RowHeight)
def test_a_view_keeps_the_height_of_its_rows(customers: Browser, height: RowHeight) -> None:
    link = re.search(rf'href="([^"]+)"[^>]*>{height.value.capitalize()}</a>', customers.open(HERE))
    assert link
    page = customers.open(saved(customers, urlsplit(unescape(link[1])).query, name="Mine"))
    assert f'<table class="v-grid v-{height.value}"' in page
    assert re.findall(r'aria-current="true">(\w+)</a>', page) == [height.value.capitalize()]


def test_a_locked_view_is_shown_as_such_and_copied(customers: Browser, world: World) -> None:
    number = int(saved(customers, "search=e", name="Ours", shared="true").rpartition("=")[2])
    customers.send(f"{HERE}/views/{number}", name="Ours", shared="true", locked="true")
    assert world.views[number][1].locked
    assert 'name="locked"' in customers.open(f"{HERE}/views/{number}")
    world.role = Role.MEMBER
    page = customers.open(f"{HERE}?view={number}")
    assert "This view is locked" in page
    assert "data-view" not in page
    copy = int(customers.send(f"{HERE}/views/{number}/copy").rpartition("=")[2])
    assert copy != number
    assert "Copied. The copy is yours alone" in customers.open(f"{HERE}?view={copy}")
