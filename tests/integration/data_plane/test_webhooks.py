"""Webhooks, from the change of a record to a receiver with TLS."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from integration.data_plane.workspace import Workspace
from support.receiver import NAME, Receiver, receiving
from vivero_data.domain.webhooks.delivery import WebhookDelivery, next_attempt
from vivero_data.domain.webhooks.schemas import MAX_WEBHOOKS
from vivero_web import clock
from vivero_web.sealed import SealedSecrets
from vivero_web.webhook_sender import WebhookSender

HOOKS, RECORDS = "/api/v1/webhooks", "/api/v1/collections/Contacts/records"


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with receiving(tmp_path) as made:
        yield made


@pytest.fixture
async def quiet(no_runner: None, new_workspace: Callable[[], Awaitable[Workspace]]) -> Workspace:
    """A workspace that sends when a test says so."""
    assert no_runner is None
    return await new_workspace()


@pytest.fixture
async def owner(quiet: Workspace) -> dict[str, str]:
    return await quiet.login()


@pytest.fixture
def delivery(quiet: Workspace, receiver: Receiver) -> WebhookDelivery:
    """As the program's, but for a name that leads to the receiver."""
    services = quiet.app.state.services
    sealed = SealedSecrets(quiet.settings.app.file_key, "vivero-data", "webhooks")
    return WebhookDelivery(services.database, receiver.sender(), sealed, services.links, services.webhooks.wakeup)


async def hook(
    quiet: Workspace,
    owner: dict[str, str],
    receiver: Receiver,
    **more: Any,  # noqa: ANN401  JSON
) -> dict[str, Any]:
    events = ["record.created", "record.updated", "record.deleted"]
    body = {"url": f"https://{NAME}:{receiver.port}/in?x=1", "events": events, **more}
    answer = await quiet.client.post(HOOKS, json=body, headers=owner)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def add(quiet: Workspace, owner: dict[str, str], name: str = "Ada", path: str = RECORDS) -> int:
    answer = await quiet.client.post(path, json={"values": {"Name": name}}, headers=owner)
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


async def run(quiet: Workspace, sql: str, *params: object) -> Any:  # noqa: ANN401  rows
    async with quiet.app.state.services.database.transaction() as tx:
        return await tx.fetch_all(sql, *params)


async def test_a_change_is_told_with_a_signature(
    quiet: Workspace, owner: dict[str, str], receiver: Receiver, delivery: WebhookDelivery
) -> None:
    await quiet.collection(owner)
    made = await hook(quiet, owner, receiver, collection="Contacts")
    assert made["secret"].startswith("whsec_")
    number = await add(quiet, owner)
    at = f"{RECORDS}/{number}"
    await quiet.client.patch(at, json={"values": {"Name": "Bea"}}, headers=owner)
    await quiet.client.delete(at, headers=owner)
    while await delivery.once():
        pass
    told = sorted((json.loads(body) for _, body in receiver.got), key=lambda one: str(one["timestamp"]))
    assert [one["type"] for one in told] == ["record.created", "record.updated", "record.deleted"]
    assert told[0]["data"] == {"collection": "Contacts", "id": number, "before": None, "after": {"Name": "Ada"}}
    assert told[1]["data"]["before"] == {"Name": "Ada"}
    assert told[1]["data"]["after"] == {"Name": "Bea"}
    for headers, body in receiver.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(made["secret"].removeprefix("whsec_"))
        wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{wanted}"
        assert headers["host"] == f"{NAME}:{receiver.port}"
    attempts = (await quiet.client.get(f"{HOOKS}/{made['id']}/attempts", headers=owner)).json()["items"]
    assert [(one["status"], one["problem"], one.get("next_at")) for one in attempts] == [(204, "", None)] * 3
    assert {one["message"] for one in attempts} == {headers["webhook-id"] for headers, _ in receiver.got}
    assert "secret" not in (await quiet.client.get(f"{HOOKS}/{made['id']}", headers=owner)).json()


async def test_only_what_was_asked_for_is_told(
    quiet: Workspace, owner: dict[str, str], receiver: Receiver, delivery: WebhookDelivery
) -> None:
    await quiet.collection(owner)
    await quiet.collection(owner, name="Other")
    one = await hook(quiet, owner, receiver, collection="Contacts", events=["record.deleted"])
    await hook(quiet, owner, receiver, collection="Other")
    off = await hook(quiet, owner, receiver)
    answer = await quiet.client.patch(f"{HOOKS}/{off['id']}", json={"active": False}, headers=owner)
    assert answer.json()["active"] is False
    await add(quiet, owner)
    assert not await delivery.once()
    await quiet.client.patch(f"{HOOKS}/{one['id']}", json={"events": ["record.created"]}, headers=owner)
    await add(quiet, owner)
    refused = await quiet.client.post(RECORDS, json={"values": {"Nothing": 1}}, headers=owner)
    assert refused.status_code == 422
    assert await delivery.once()
    assert len(receiver.got) == 1


@pytest.mark.parametrize("answer", ["500 Broken", "302 Found", "404 Nothing"])
async def test_what_fails_is_tried_again_later(
    quiet: Workspace, owner: dict[str, str], receiver: Receiver, delivery: WebhookDelivery, answer: str
) -> None:
    await quiet.collection(owner)
    made = await hook(quiet, owner, receiver)
    await add(quiet, owner)
    receiver.answer = answer
    assert await delivery.once()
    assert not await delivery.once(), "it waits"
    shown = (await quiet.client.get(f"{HOOKS}/{made['id']}", headers=owner)).json()
    assert shown["failing_since"]
    receiver.answer = "200 Fine"
    await run(quiet, "UPDATE webhook_messages SET due_at = CURRENT_TIMESTAMP(6)")
    assert await delivery.once()
    attempts = (await quiet.client.get(f"{HOOKS}/{made['id']}/attempts", headers=owner)).json()["items"]
    assert [(one["number"], one["status"]) for one in attempts] == [(2, 200), (1, int(answer[:3]))]
    assert len({one["message"] for one in attempts}) == 1, "who gets it can tell that it is the same"
    assert (await quiet.client.get(f"{HOOKS}/{made['id']}", headers=owner)).json().get("failing_since") is None
    assert len(receiver.got) == 2, "no redirect was followed"


async def test_after_days_of_failures_it_is_switched_off(
    quiet: Workspace, owner: dict[str, str], receiver: Receiver, delivery: WebhookDelivery
) -> None:
    await quiet.collection(owner)
    made = await hook(quiet, owner, receiver)
    await add(quiet, owner)
    receiver.answer = "500 Broken"
    await run(quiet, "UPDATE webhooks SET failing_since = CURRENT_TIMESTAMP(6) - INTERVAL 6 DAY")
    assert await delivery.once()
    at = f"{HOOKS}/{made['id']}"
    assert (await quiet.client.get(at, headers=owner)).json()["active"] is False
    entry = (await quiet.client.get("/api/v1/audit", headers=owner)).json()["items"][0]
    assert (entry["action"], entry["actor"]) == ("webhook.disable", "system")
    again = (await quiet.client.patch(at, json={"active": True}, headers=owner)).json()
    assert (again["active"], again.get("failing_since")) == (True, None)


async def test_two_pods_send_a_message_once(
    quiet: Workspace, owner: dict[str, str], receiver: Receiver, delivery: WebhookDelivery
) -> None:
    await quiet.collection(owner)
    await hook(quiet, owner, receiver)
    for _ in range(5):
        await add(quiet, owner)
    await asyncio.gather(*(delivery.once() for _ in range(4)))
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == len(receiver.got) == 5


async def test_the_programs_own_sender_does_not_reach_this_machine(
    quiet: Workspace, owner: dict[str, str], receiver: Receiver
) -> None:
    await quiet.collection(owner)
    made = await hook(quiet, owner, receiver)
    await add(quiet, owner)
    services, sealed = quiet.app.state.services, SealedSecrets(quiet.settings.app.file_key, "vivero-data", "webhooks")
    real = WebhookSender(find=lambda *_: ["127.0.0.1"])
    await WebhookDelivery(services.database, real, sealed, services.links, asyncio.Event()).once()
    attempts = (await quiet.client.get(f"{HOOKS}/{made['id']}/attempts", headers=owner)).json()["items"]
    assert [one["problem"] for one in attempts] == ["The host has an address that is not on the Internet."]
    assert receiver.got == []


async def test_a_copy_with_another_key_sends_nothing(
    quiet: Workspace, owner: dict[str, str], receiver: Receiver, delivery: WebhookDelivery
) -> None:
    await quiet.collection(owner)
    await hook(quiet, owner, receiver)
    await add(quiet, owner)
    delivery._secrets = SealedSecrets("another", "vivero-data", "webhooks")  # noqa: SLF001  as in a copy
    assert await delivery.once()
    assert receiver.got == []


async def test_who_may_and_what_is_refused(quiet: Workspace, owner: dict[str, str], receiver: Receiver) -> None:
    member = await quiet.user(owner, "member")
    assert (await quiet.client.get(HOOKS, headers=member)).status_code == 403
    for url in ("https://127.0.0.1/", "http://example.com/", "https://10.0.0.1:8443/x"):
        refused = await quiet.client.post(HOOKS, json={"url": url, "events": ["record.created"]}, headers=owner)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "url")
    body = {"url": "https://example.com/", "events": ["record.created"], "collection": "Nowhere"}
    refused = await quiet.client.post(HOOKS, json=body, headers=owner)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "collection")
    made = await hook(quiet, owner, receiver)
    renewed = (await quiet.client.post(f"{HOOKS}/{made['id']}/secret", headers=owner)).json()
    assert renewed["secret"] != made["secret"]
    for _ in range(MAX_WEBHOOKS - 1):
        await hook(quiet, owner, receiver)
    full = await quiet.client.post(HOOKS, json={"url": made["url"], "events": ["record.created"]}, headers=owner)
    assert full.status_code == 409
    assert (await quiet.client.delete(f"{HOOKS}/{made['id']}", headers=owner)).status_code == 204
    assert (await quiet.client.get(f"{HOOKS}/{made['id']}/attempts", headers=owner)).status_code == 404


def test_attempts_wait_longer_each_time_and_end() -> None:
    now = clock.now()
    waits = [next_attempt(number, now, 1.0) for number in range(1, 11)]
    known = [moment for moment in waits if moment]
    assert known == sorted(known)
    assert len(known) == 9
    assert waits[-1] is None
