"""The audit log of the whole platform on the real database: each filter alone and together, paged, and as a file."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import csv
import io
import random
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import httpx
import pytest
from integration.control_plane.support import ADMIN, PASSWORD, add_member
from vivero_control import composition

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
"""Later than what other tests write."""
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
Rows = list[dict[str, Any]]


@pytest.fixture
def written(sql: Callable[..., list[tuple[Any, ...]]]) -> Iterator[Rows]:
    """Sixty entries of three people, acts and kinds, some at the same second; the oldest first."""
    chance, mark = random.Random(5), secrets.token_hex(4)  # noqa: S311  a test's choice
    rows = []
    for number in range(60):
        at = BEGIN + timedelta(minutes=chance.randrange(40))
        row = {
            "at": at,
            "actor": f"{chance.choice('abc')}-{mark}@example.com",
            "action": chance.choice(("suspend", "resume", f"act-{mark}")),
            "subject": f"{chance.choice(('tenant', 'staff'))}/{mark}{chance.choice(('', '_', '%'))}",
            "reason": "=1+1" if number % 2 else "plain",
        }
        sql(
            "INSERT INTO audit (at, actor, action, subject, reason, detail, outcome, request_id)"
            " VALUES (%s, %s, %s, %s, %s, '{}', 'done', '')",
            at.replace(tzinfo=None),
            *(row[name] for name in ("actor", "action", "subject", "reason")),
        )
        rows.append(row)
    yield sorted(rows, key=lambda row: row["at"])
    sql("DELETE FROM audit WHERE actor LIKE %s", f"%-{mark}@example.com")


def matching(rows: Rows, asked: dict[str, str]) -> list[tuple[str, ...]]:
    since = datetime.fromisoformat(asked["since"]) if "since" in asked else BEGIN
    until = datetime.fromisoformat(asked["until"]) if "until" in asked else datetime.max.replace(tzinfo=UTC)
    found = [
        row
        for row in rows
        if since <= row["at"] < until
        and all(row[name] == asked[name] for name in ("actor", "action") if name in asked)
        and row["subject"].startswith(asked.get("subject", ""))
    ]
    return sorted((row["actor"], row["action"], row["subject"], row["reason"]) for row in found)


def enter(client: httpx.Client, email: str, password: str) -> None:
    """Log in to the pages."""
    answer = client.post("/staff/login", data={"email": email, "password": password}, headers=OWN_PAGE)
    assert answer.status_code == 303, answer.text
    client.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]  # which is for HTTPS alone


def test_every_filter_pages_through_what_matches_once(staff: httpx.Client, written: Rows) -> None:
    one = written[0]
    values = {
        "actor": one["actor"],
        "action": one["action"],
        "subject": one["subject"],
        "until": (BEGIN + timedelta(minutes=25)).isoformat(),
    }
    for chosen in product((False, True), repeat=len(values)):
        asked = {name: value for (name, value), wanted in zip(values.items(), chosen, strict=True) if wanted}
        asked["since"] = BEGIN.isoformat()
        found, cursor = [], ""
        while True:
            page = staff.get("/api/v1/audit", params={**asked, "limit": 7, "cursor": cursor}).json()
            found += page["items"]
            if (cursor := page["next_cursor"] or "") == "":
                break
            assert len(page["items"]) == 7
        assert [entry["at"] for entry in found] == sorted((entry["at"] for entry in found), reverse=True)
        seen = sorted((one["actor"], one["action"], one["subject"], one["reason"]) for one in found)
        assert seen == matching(written, asked), asked


@pytest.mark.parametrize(
    ("field", "value"),
    [("since", "yesterday"), ("until", "2026-01-01T00:00:00"), ("cursor", "x.1"), ("limit", "0"), ("limit", "201")],
)
def test_what_is_no_value_is_refused_by_name(staff: httpx.Client, field: str, value: str) -> None:
    answer = staff.get("/api/v1/audit", params={field: value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_the_file_has_it_all_and_is_for_admins(
    client: httpx.Client, written: Rows, infrastructure: composition.Infrastructure
) -> None:
    asked = {"actor": written[0]["actor"], "since": "2030-01-01"}
    assert client.get("/api/v1/audit").status_code == 401
    assert client.get("/staff/audit/file", params=asked).status_code != 200
    enter(client, *ADMIN)
    answer = client.get("/staff/audit/file", params=asked)
    assert answer.headers["content-type"].startswith("text/csv")
    heads, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert heads[:3] == ["at", "actor", "action"]
    told = sorted((actor, action, subject, reason.removeprefix("'")) for _, actor, action, subject, reason, *_ in lines)
    assert told == matching(written, {"actor": asked["actor"]})
    assert {line[4] for line in lines} <= {"'=1+1", "plain"}, "no spreadsheet runs a reason"
    page = client.get("/staff/audit", params={"action": "export-audit"}, headers={"Accept": "text/html"}).text
    assert asked["actor"] in page, "that it was taken out is an entry, with what was asked for"
    helper = await add_member(infrastructure)
    enter(client, helper.email, PASSWORD)
    assert client.get("/staff/audit").status_code == 200
    assert client.get("/staff/audit/file", params=asked).status_code == 403
