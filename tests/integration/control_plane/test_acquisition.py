"""Costs of channels on a real database: from a table to what a signup costs."""

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any

import httpx
from integration.control_plane.support import PASSWORD as ITS_PASSWORD
from integration.control_plane.support import Names, add_member, log_in, signup_body
from vivero_control import composition
from vivero_control.domain.acquisition.policies import first_shown, month_of
from vivero_web.clock import now

PATH = "/api/v1/acquisition"


def said(staff: httpx.Client, *costs: tuple[str, str, int]) -> httpx.Response:
    lines = [{"month": month, "channel": channel, "cents": cents} for month, channel, cents in costs]
    return staff.put(f"{PATH}/costs", json={"costs": lines})


def of(staff: httpx.Client, channel: str) -> dict[str, Any] | None:
    answer = staff.get(PATH)
    assert answer.status_code == 200, answer.text
    return next((one for one in answer.json()["channels"] if one["channel"] == channel), None)


async def test_a_signup_has_a_cost(
    staff: httpx.Client, names: Names, sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    channel, month = f"news-{secrets.token_hex(4)}", month_of(now()).isoformat()
    for _ in range(2):
        body = signup_body(names.new()) | {"lead": {"utm_source": channel.upper()}}
        made = await asyncio.to_thread(staff.post, "/api/v1/signups", json=body)
        assert made.status_code == 202, made.text
    assert of(staff, channel) is None, "without a cost"
    (change,) = said(staff, (month, channel, 12_500)).json()["changes"]
    assert change["before"] is None
    found = of(staff, channel)
    assert found is not None
    assert (found["signups"], found["paid"], found["cents_a_signup"], found["cents_a_customer"]) == (2, 0, 6_250, None)
    assert found["is_open"]
    rows = (
        await asyncio.to_thread(staff.get, f"{PATH}/signups", params={"month": month, "channel": channel.upper()})
    ).json()
    assert rows["count"] == len(rows["rows"]) == 2
    assert said(staff, (month, channel, 12_500)).json()["changes"] == [], "again"
    (change,) = said(staff, (month, channel, 0)).json()["changes"]
    assert change["before"] == 12_500
    assert of(staff, channel) is None
    details = sql("SELECT detail FROM audit WHERE action = 'set-channel-costs' AND detail LIKE %s", f"%{channel}%")
    assert [json.loads(row[0])["lines"] for row in details] == [1, 1]


def test_what_cannot_be_is_refused_by_its_line_and_nothing_changes(staff: httpx.Client) -> None:
    channel, month = f"news-{secrets.token_hex(4)}", month_of(now()).isoformat()
    answer = said(
        staff, (month, channel, 5), ("2026-11-02", channel, 5), (month, channel, 6), (month, channel.upper(), 1)
    )
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["costs[1].month", "costs[2]", "costs[3].channel"]
    assert of(staff, channel) is None
    early = first_shown(now()).replace(year=2000).isoformat()
    assert said(staff, (early, channel, 5)).status_code == 200
    assert of(staff, channel) is None, "before what is shown"


async def test_tables_at_once_do_not_mix(staff: httpx.Client) -> None:
    channels = [f"c-{secrets.token_hex(4)}" for _ in range(20)]
    month = month_of(now()).isoformat()

    def table(cents: int) -> httpx.Response:
        some = channels if cents % 2 else list(reversed(channels))
        return said(staff, *((month, channel, cents) for channel in some))

    answers = await asyncio.gather(*(asyncio.to_thread(table, cents) for cents in range(1, 9)))
    assert {one.status_code for one in answers} == {200}
    found = [of(staff, channel) for channel in channels]
    assert len({one["cost_cents"] for one in found if one}) == 1
    assert len(found) == len(channels)


async def test_support_reads_and_does_not_write(
    client: httpx.Client, infrastructure: composition.Infrastructure
) -> None:
    member = await add_member(infrastructure)
    answer = await asyncio.to_thread(log_in, client, member.email, ITS_PASSWORD)
    client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
    assert (await asyncio.to_thread(client.get, PATH)).status_code == 200
    assert (await asyncio.to_thread(said, client, ("2026-11-01", "x", 1))).status_code == 403
