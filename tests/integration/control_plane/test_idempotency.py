"""`Idempotency-Key` on what staff make: sent twice, it is there once, and answered as the first time."""

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from support.good import CONTROL_BODIES as GOOD
from unit.control_plane.contract_builders import terms
from vivero_control import composition
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.contracts.schemas import QuoteView

INCIDENTS = "/api/v1/status/incidents"


def sent(staff: httpx.Client, path: str, body: object, key: str | None) -> httpx.Response:
    return staff.post(path, json=body, headers={"idempotency-key": key} if key else {})


def incident(staff: httpx.Client) -> int:
    return int(sent(staff, INCIDENTS, GOOD[f"POST {INCIDENTS}"], None).json()["id"])


@pytest.mark.parametrize("what", ["incident", "update"])
async def test_what_is_sent_twice_with_one_key_is_there_once(
    staff: httpx.Client, sql: Callable[..., list[Any]], what: str
) -> None:
    number = await asyncio.to_thread(incident, staff)
    path = INCIDENTS if what == "incident" else f"{INCIDENTS}/{number}/updates"
    body = GOOD[f"POST {INCIDENTS}"] if what == "incident" else GOOD[f"POST {INCIDENTS}/{{number}}/updates"]
    key = secrets.token_hex(8)
    answers = await asyncio.gather(*(asyncio.to_thread(sent, staff, path, body, key) for _ in range(4)))
    done = [one for one in answers if one.status_code == 201]
    assert {one.status_code for one in answers} <= {201, 409}, "409: the first is still under way"
    again = await asyncio.to_thread(sent, staff, path, body, key)
    assert again.status_code == 201
    assert {one.text for one in (*done, again)} == {again.text}
    counted = sql("SELECT COUNT(*) FROM status_updates WHERE incident_id = %s", again.json()["id"])
    assert counted == [(1 if what == "incident" else 2,)]
    other = await asyncio.to_thread(sent, staff, path, body | {"text": "Something else."}, key)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_what_was_refused_is_not_kept_under_its_key(staff: httpx.Client) -> None:
    key, good = secrets.token_hex(8), GOOD[f"POST {INCIDENTS}"]
    refused = await asyncio.to_thread(sent, staff, INCIDENTS, good | {"title": " "}, key)
    assert refused.status_code == 422
    assert (await asyncio.to_thread(sent, staff, INCIDENTS, good, key)).status_code == 201


async def test_a_quote_is_made_once(
    quotes: QuoteService, contracting: composition.Infrastructure, sql: Callable[..., list[Any]]
) -> None:
    offered, key, actor = terms(company=f"Acme {secrets.token_hex(4)}"), secrets.token_hex(8), "ada@vivero.localhost"
    make = partial(quotes.make, offered, actor)
    first, second = [
        await contracting.idempotency.answered("make-quote", key, offered, QuoteView, make) for _ in range(2)
    ]
    assert first == second
    assert sql("SELECT COUNT(*) FROM quotes WHERE JSON_VALUE(terms, '$.company') = %s", offered.company) == [(1,)]
