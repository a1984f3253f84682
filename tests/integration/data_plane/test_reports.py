"""Reports on the real server: what MariaDB computes is what Python computes from the same records."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import product
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.data_plane.workspace import Workspace
from unit.data_plane.builders import collection
from unit.data_plane.test_reports import definitions
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.reports.compiler import MAX_COLUMNS, compile_report
from vivero_data.domain.reports.results import Results
from vivero_data.domain.reports.schemas import Definition, Function, Grouping, Measure, Order, Period
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.reports.zones import local_time
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.json import decode, encode
from vivero_data.lib.notation import in_zone

OWNER: Final = Actor(1, "owner@example.com", "", Role.OWNER)
REPORTS: Final = "/api/v1/reports"
Record = dict[str, Any]
# Few values a field, so that groups have several records; texts that Python and the collation order alike.
SOME: Final[dict[FieldType, list[Any]]] = {
    FieldType.TEXT: [f"w{letter}" for letter in "abcdefghijklmnopqrst"],
    FieldType.LONG_TEXT: ["one\ntwo", "three"],
    FieldType.NUMBER: [Decimal(text) for text in ("-1.5", "0", "0.00000001", "9999999999999999.99999999", "2.25")],
    FieldType.INTEGER: [-(2**63), -1, 0, 1, 2**63 - 1],
    FieldType.BOOLEAN: [True, False],
    FieldType.DATE: ["1000-01-01", "2025-12-28", "2026-01-01", "2026-02-28", "2026-03-01", "2026-05-10", "9999-12-31"],
    FieldType.DATETIME: ["1815-12-10T23:59:59Z", "2026-03-01T00:00:00Z", "2026-03-29T12:00:01.5Z"],
    FieldType.MONEY: [Decimal("-0.01"), Decimal(0), Decimal("1234567890.99")],
    FieldType.CHOICE: ["red", "green"],
    FieldType.EMAIL: ["a@b.example", "c@b.example"],
    FieldType.URL: ["https://a.example/", "https://b.example/"],
}
# What people fill in themselves.
THINGS: Final = collection(*(one for one in collection().fields if one.type in SOME))


@pytest.fixture
async def things(workspace: Workspace, owner: dict[str, str]) -> list[Record]:
    """Ninety records, a quarter of their values missing."""
    fields = [
        {"name": one.name, "type": one.type, "choices": one.choices, "options": msgspec.to_builtins(one.options)}
        for one in THINGS.fields
    ]
    await workspace.collection(owner, *fields, name="Things")
    chance = random.Random(11)  # noqa: S311  a test's choice
    made = [
        {one.name: chance.choice([*SOME[one.type] * 3, *[None] * len(SOME[one.type])]) for one in THINGS.fields}
        for _ in range(90)
    ]
    body = {"create": [{"values": values} for values in made]}
    answer = await workspace.client.post(
        "/api/v1/collections/Things/records/batch",
        content=encode(body),
        headers={**owner, "content-type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    page = decode((await workspace.client.get("/api/v1/collections/Things/records?limit=200", headers=owner)).text)
    return [{**item["values"], "id": item["id"], **created(item)} for item in page["items"]]


def created(item: Record) -> Record:
    return {name: item[name] for name in ("created_at", "updated_at")}


def first_day(text: str, period: Period) -> str:
    day = date.fromisoformat(text[:10])
    if period is Period.WEEK:
        return (day - timedelta(day.weekday())).isoformat()
    if period is Period.QUARTER:
        day = day.replace(month=day.month - (day.month - 1) % 3)
    if period is Period.YEAR:
        day = day.replace(month=1)
    return (day if period is Period.DAY else day.replace(day=1)).isoformat()


def figure(records: list[Record], measure: Measure) -> Decimal | None:
    if measure.field is None:
        return Decimal(len(records))
    filled = [one[measure.field] for one in records if one[measure.field] is not None]
    if measure.function is Function.COUNT:
        return Decimal(len(filled))
    with localcontext(prec=80):
        if measure.function is Function.SUM:
            return sum(filled, Decimal(0))
        if not filled:
            return None
        if measure.function is Function.AVERAGE:
            return round(Decimal(sum(filled)) / len(filled), 8)
        return Decimal(min(filled) if measure.function is Function.MIN else max(filled))


REST: Final = "the rest"


class Side:
    """One grouping of a report as Python computes it: the key of each record, and their order."""

    def __init__(self, records: list[Record], definition: Definition, index: int) -> None:
        grouping = definition.group_by[index]
        limit, order = ((definition.limit, definition.order), (MAX_COLUMNS, Order.GROUP))[index]
        field = next((one for one in THINGS.fields if one.name == grouping.field), None)
        self.grouping = grouping
        keys = {self._of(one) for one in records}
        values = {key: figure([one for one in records if self._of(one) == key], definition.measures[0]) for key in keys}
        places = {choice: place for place, choice in enumerate(field.choices if field else ())}
        ranked = sorted(keys - {None}, key=lambda key: places.get(key, key))
        turned = order is Order.GROUP and grouping.by is not None
        if index == 1 and not turned and not places and not isinstance(next(iter(ranked), None), bool):
            order = Order.VALUE_DESCENDING
        if order is Order.GROUP_DESCENDING or turned:
            ranked.reverse()
        ranked += [None] if None in keys else []
        if order in {Order.VALUE, Order.VALUE_DESCENDING}:
            sign = -1 if order is Order.VALUE_DESCENDING else 1
            ranked.sort(key=lambda key: (values[key] is None, sign * (values[key] or 0)))
        self.kept = ranked[:limit]
        rest = [REST] if len(ranked) > limit else []
        dated = [key for key in reversed(self.kept) if key is not None]
        self.shown = [*rest, *dated, *self.kept[len(dated) :]] if turned else [*self.kept, *rest]

    def _of(self, record: Record) -> Any:  # noqa: ANN401  a field's value
        value = record[self.grouping.field]
        return first_day(value, self.grouping.by) if value is not None and self.grouping.by else value

    def key(self, record: Record) -> Any:  # noqa: ANN401  as above
        key = self._of(record)
        return key if key in self.kept else REST


def expected(records: list[Record], definition: Definition) -> list[tuple[Any, ...]]:
    """The keys and figures of each row, in order."""
    sides = [Side(records, definition, index) for index in range(len(definition.group_by))]
    rows = []
    for keys in product(*(side.shown for side in sides)):
        found = [one for one in records if tuple(side.key(one) for side in sides) == keys]
        if found or not sides:
            rows.append((keys, tuple(figure(found, measure) for measure in definition.measures)))
    return rows


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(definitions(THINGS), st.integers(1, 8), st.booleans())
async def test_the_database_computes_what_python_computes(
    workspace: Workspace,
    things: list[Record],
    definition: Definition,
    limit: int,
    filtered: bool,  # noqa: FBT001  drawn
) -> None:
    where = {"field": "Boolean", "operator": "eq", "value": True} if filtered else None
    wanted = msgspec.structs.replace(definition, limit=limit, where=where)
    data = await workspace.app.state.services.reports.preview(OWNER, "Things", wanted)
    about = [one for one in things if one["Boolean"] or not filtered]
    found = [
        (tuple(REST if rest else key for key, rest in zip(row.keys, row.rest, strict=True)), row.values)
        for row in data.rows
    ]
    assert found == expected(about, wanted)
    sides = [Side(about, wanted, index) for index in range(len(wanted.group_by))]
    assert [[REST if key.rest else key.value for key in axis] for axis in data.axes] == [side.shown for side in sides]
    assert data.total == tuple(figure(about, measure) for measure in wanted.measures)
    assert data.records == len(about)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"]),
    st.lists(
        st.datetimes(datetime(1970, 1, 2), datetime(2049, 12, 30)).map(lambda moment: moment.replace(microsecond=0)),  # noqa: DTZ001  UTC, as stored
        min_size=1,
        max_size=20,
        unique=True,
    ),
)
async def test_days_are_those_of_the_time_zone(workspace: Workspace, zone: str, moments: list[datetime]) -> None:
    # Beside drawn moments those around each change of the clocks in one year.
    hours = [datetime(2026, 1, 1) + timedelta(hours=hour) for hour in range(0, 8760, 167)]  # noqa: DTZ001  as above
    every = sorted({*moments, *hours})
    rows = " UNION ALL ".join(["SELECT CAST(%s AS DATETIME(6)) AS at"] * len(every))
    async with workspace.app.state.services.database.read() as connection:
        sql = f"SELECT at, {local_time('at', zone)} FROM ({rows}) t ORDER BY at"  # noqa: S608  a test's own
        found = await connection.fetch_all(sql, *every)
    assert [local for _, local in found] == [in_zone(moment, zone) for moment in every]


async def test_a_report_is_in_the_time_zone_of_the_workspace(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, {"name": "At", "type": "datetime"}, name="Things")
    values = {"At": "2026-06-30T23:30:00Z"}
    await workspace.client.post("/api/v1/collections/Things/records", json={"values": values}, headers=owner)
    by_month = Definition(group_by=(Grouping("At", Period.MONTH),))
    reports = workspace.app.state.services.reports
    assert [row.keys for row in (await reports.preview(OWNER, "Things", by_month)).rows] == [("2026-06-01",)]
    settings_url, berlin = "/api/v1/workspace/settings", {"time_zone": "Europe/Berlin"}
    assert (await workspace.client.patch(settings_url, json=berlin, headers=owner)).status_code == 200
    assert [row.keys for row in (await reports.preview(OWNER, "Things", by_month)).rows] == [("2026-07-01",)]


async def test_of_nothing_there_is_an_answer(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, {"name": "Amount", "type": "number"}, name="Things")
    measures = tuple(Measure(function, "Amount") for function in Function)
    reports = workspace.app.state.services.reports
    data = await reports.preview(OWNER, "Things", Definition(measures=measures))
    assert [row.values for row in data.rows] == [(0, 0, None, None, None)] == [data.total]
    assert data.records == 0
    grouped = Definition(measures=measures, group_by=(Grouping("Amount"),))
    data = await reports.preview(OWNER, "Things", grouped)
    assert (data.rows, data.total) == ((), (0, 0, None, None, None))


NEW: Final = {
    "name": "Spent each month",
    "collection": "Things",
    "where": {"field": "Choice", "operator": "eq", "value": "red"},
    "group_by": [{"field": "Date", "by": "month"}],
    "measures": [{"function": "sum", "field": "Number"}],
    "kind": "line",
}


async def test_a_report_is_made_computed_changed_and_removed(
    workspace: Workspace, owner: dict[str, str], things: list[Record]
) -> None:
    client = workspace.client
    made = await client.post(REPORTS, json=NEW, headers=owner)
    assert made.status_code == 201, made.text
    report = made.json()
    assert {name: report[name] for name in NEW} == {**NEW, "where": report["where"], "measures": report["measures"]}
    assert (report["owner"], report["shared"], report["problem"]) == ("owner@example.com", True, "")
    place = f"{REPORTS}/{report['id']}"
    assert (await client.get(place, headers=owner)).json() == report
    data = decode((await client.get(f"{place}/data", headers=owner)).text)
    assert data["total"] == [sum(one["Number"] for one in things if one["Choice"] == "red" and one["Number"])]
    renamed = await client.patch(place, json={"name": "Costs", "kind": "bar"}, headers=owner)
    assert (renamed.status_code, renamed.json()["name"], renamed.json()["kind"]) == (200, "Costs", "bar")
    assert (await client.get(REPORTS, headers=owner)).json()["items"] == [renamed.json()]
    same = await client.patch(place, json={"name": "Costs"}, headers=owner)
    assert same.json() == renamed.json(), "nothing changed, so nothing was written"
    assert (await client.delete(place, headers=owner)).status_code == 204
    assert (await client.get(place, headers=owner)).status_code == 404
    log = (await client.get("/api/v1/audit?action=report", headers=owner)).json()["items"]
    assert [one["action"] for one in log] == ["report.delete", "report.update", "report.create"]


async def test_own_reports_are_nobody_elses_and_shared_ones_change_by_their_owner_or_an_admin(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    client = workspace.client
    await workspace.collection(owner, name="Things")
    member, other, admin, viewer = [
        await workspace.user(owner, role) for role in ("member", "member", "admin", "viewer")
    ]
    body = {"name": "Count", "collection": "Things"}
    own = (await client.post(REPORTS, json={**body, "shared": False}, headers=member)).json()
    shared = (await client.post(REPORTS, json=body, headers=member)).json()
    assert (await client.post(REPORTS, json=body, headers=viewer)).status_code == 403
    for who in (other, admin, owner, viewer):
        assert (await client.get(f"{REPORTS}/{own['id']}", headers=who)).status_code == 404
        assert [one["id"] for one in (await client.get(REPORTS, headers=who)).json()["items"]] == [shared["id"]]
        assert (await client.get(f"{REPORTS}/{shared['id']}/data", headers=who)).json()["total"] == [0]
    change, place = {"description": "x"}, f"{REPORTS}/{shared['id']}"
    answers = [
        (await client.patch(place, json=change, headers=who)).status_code for who in (other, viewer, admin, member)
    ]
    assert answers == [403, 403, 200, 200]
    assert (await client.delete(place, headers=other)).status_code == 403
    assert (await client.delete(f"{REPORTS}/{own['id']}", headers=owner)).status_code == 404
    assert (await client.delete(place, headers=admin)).status_code == 204


async def test_a_report_whose_collection_is_gone_says_so(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    await workspace.collection(owner, name="Things")
    body = {"name": "By name", "collection": "Things", "group_by": [{"field": "Name"}]}
    place = f"{REPORTS}/{(await client.post(REPORTS, json=body, headers=owner)).json()['id']}"
    await client.delete("/api/v1/collections/Things", headers=owner)
    await workspace.collection(owner, name="Things")
    assert (await client.get(place, headers=owner)).json()["problem"] == "Its collection was deleted."
    answer = await client.get(f"{place}/data", headers=owner)
    assert (answer.status_code, answer.json()["detail"]) == (409, "Its collection was deleted.")
    assert (await client.patch(place, json={"name": "x"}, headers=owner)).status_code == 409
    assert (await client.delete(place, headers=owner)).status_code == 204


async def test_the_result_of_a_large_collection_is_kept_and_says_how_old_it_is(
    workspace: Workspace, owner: dict[str, str], things: list[Record]
) -> None:
    assert things
    services = workspace.app.state.services
    large = ReportService(
        services.database,
        Results(services.database, services.notation, services.cache.reports, large=90),
        services.limits,
    )
    by_choice = Definition(group_by=(Grouping("Choice"),), measures=(Measure(Function.AVERAGE, "Number"),))
    first = await large.preview(OWNER, "Things", by_choice)
    await workspace.client.post("/api/v1/collections/Things/records", json={"values": {}}, headers=owner)
    assert await large.preview(OWNER, "Things", by_choice) == first
    assert (await services.reports.preview(OWNER, "Things", by_choice)).records == first.records + 1
    other = msgspec.structs.replace(by_choice, where={"field": "Choice", "operator": "filled"})
    assert (await large.preview(OWNER, "Things", other)).records < first.records


async def test_a_group_is_not_found_through_an_index(workspace: Workspace, owner: dict[str, str]) -> None:
    fields = {"name": "City", "type": "text"}, {"name": "Amount", "type": "number"}
    await workspace.collection(owner, *fields, name="Things")
    services = workspace.app.state.services
    async with services.database.read() as connection:
        things = await collections.get(connection, "Things")
        assert things
        spent = Definition(group_by=(Grouping("City"),), measures=(Measure(Function.SUM, "Amount"),))
        statement = compile_report(things, spent, [])
        plan = await connection.fetch_all(f"EXPLAIN {statement.sql.partition(' FOR ')[2]}", *statement.params)
    assert ("ALL", None) in [(row[3], row[5]) for row in plan if row[2] == f"c_{things.id}"]
