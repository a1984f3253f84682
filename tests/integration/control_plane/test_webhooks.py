"""Webhooks of tenants: from what happens in the cluster to a receiver with TLS, and what staff see of it."""

import asyncio
import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from integration.control_plane.support import PASSWORD, Names, add_member, log_in, make_workspace
from support.receiver import NAME, Receiver, receiving
from vivero_control import composition
from vivero_control.domain.tenants.schemas import Resume, Suspend
from vivero_control.domain.webhooks import policies
from vivero_control.domain.webhooks.events import DELIVER
from vivero_control.domain.webhooks.policies import Happening, State
from vivero_control.domain.webhooks.schemas import ANSWER_MAX, SWITCHED_OFF_AFTER
from vivero_control.domain.webhooks.watching import sighting
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]
PATH = "/api/v1/webhooks"


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with receiving(tmp_path) as made:
        yield made


@pytest.fixture
def admin(staff: httpx.Client, sql: Ask) -> Any:  # noqa: ANN401  a generator
    """The API as an admin has it; its webhooks and all jobs for them go with the test."""
    yield staff
    sql("DELETE FROM webhook_endpoints")
    sql("DELETE FROM outbox WHERE kind = %s", DELIVER)


@pytest.fixture
def worker(infrastructure: composition.Infrastructure, receiver: Receiver) -> Worker:
    """As the program's, but for a name that leads to the receiver."""
    return Worker(dataclasses.replace(infrastructure, webhooks=receiver.sender(ANSWER_MAX)))


@pytest.fixture
async def tenant(names: Names, kube: KubeClient) -> Tenant:
    return await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=9))


async def hook(admin: httpx.Client, receiver: Receiver, *events: str) -> dict[str, Any]:
    body = {"url": f"https://{NAME}:{receiver.port}/in?x=1", "events": events or ["tenant.suspended"]}
    answer = await asyncio.to_thread(admin.post, PATH, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def ask(admin: httpx.Client, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401  JSON
    answer = await asyncio.to_thread(admin.request, method, f"{PATH}/{path}", **more)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


async def look(worker: Worker, kube: KubeClient, name: str) -> None:
    """As when the watch brings the Tenant."""
    await worker.tenant_events.see(sighting(await kube.get(TENANT, name)))


async def close(infrastructure: composition.Infrastructure, name: str) -> None:
    order = Suspend(reason="x", message="Closed.")
    await composition.services(infrastructure).tenants.suspend(name, order, "ada@vivero.example")


def signatures(secret: str, headers: dict[str, str], body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return f"v1,{wanted}" in headers["webhook-signature"].split()


async def test_a_suspension_reaches_a_receiver_signed(
    admin: httpx.Client,
    receiver: Receiver,
    worker: Worker,
    infrastructure: composition.Infrastructure,
    tenant: Tenant,
) -> None:
    made = await hook(admin, receiver)
    watch = asyncio.create_task(worker.tenant_events.run())
    try:
        await close(infrastructure, tenant.name)
        async with asyncio.timeout(60):
            while not (mine := [one for one in receiver.got if tenant.name in one[1].decode()]):
                await worker.outbox.drain(DELIVER)
                await asyncio.sleep(0.05)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    ((headers, body),) = mine
    assert signatures(made["secret"], headers, body)
    said = json.loads(body)
    assert said["type"] == "tenant.suspended"
    assert said["data"]["uid"] == tenant.metadata.uid
    assert said["data"]["suspended"] == said["data"]["reason"] == "Manual"
    assert "owner" not in body.decode(), "nothing of a person is told"
    attempts = (await ask(admin, "GET", f"{made['id']}/attempts"))["items"]
    (attempt,) = [one for one in attempts if one["tenant"] == tenant.name]
    assert (attempt["message"], attempt["tenant"], attempt["status"]) == (headers["webhook-id"], tenant.name, 204)


async def test_events_of_a_tenant_are_numbered_and_told_once_however_many_watch(
    admin: httpx.Client, receiver: Receiver, worker: Worker, infrastructure: composition.Infrastructure,
    kube: KubeClient, tenant: Tenant, sql: Ask,
) -> None:  # fmt: skip
    await hook(admin, receiver, "tenant.created", "tenant.suspended", "tenant.resumed", "tenant.deleted")
    others = [composition.tenant_events(infrastructure) for _ in range(3)]

    async def seen(body: dict[str, Any]) -> None:
        one = sighting(body)
        await asyncio.gather(*(watcher.see(one) for watcher in (worker.tenant_events, *others)))

    def told() -> list[str]:
        """But for the operator's own: it may have it work in the meantime."""
        rows = sql("SELECT sequence, type FROM tenant_events WHERE tenant_uid = %s ORDER BY id", tenant.metadata.uid)
        assert [number for number, _ in rows] == list(range(1, len(rows) + 1))
        return [kind for _, kind in rows if kind != "tenant.ready"]

    first = await kube.get(TENANT, tenant.name)
    await seen(first)
    await close(infrastructure, tenant.name)
    await seen(await kube.get(TENANT, tenant.name))
    await seen(first)  # late: it undoes nothing
    assert told() == ["tenant.created", "tenant.suspended"]
    await composition.services(infrastructure).tenants.resume(tenant.name, Resume(reason="x"), "ada@vivero.example")
    for watcher in others:  # all but one had only seen that another one told of the suspension
        await watcher.see(sighting(await kube.get(TENANT, tenant.name)))
        assert told() == ["tenant.created", "tenant.suspended", "tenant.resumed"]

    restarted = composition.tenant_events(infrastructure)
    rows = (await kube.list(TENANT)).items
    left = [sighting(one) for one in rows if one["metadata"]["uid"] != tenant.metadata.uid]
    version = max(int(one["metadata"]["resourceVersion"]) for one in rows) + 1
    await restarted.see_all(left, version)
    assert told()[3:] == ["tenant.deleted"], "it went while nobody watched"
    await worker.outbox.drain(DELIVER)
    bodies = [json.loads(body) for _, body in receiver.got]
    mine = [one for one in bodies if one["data"]["uid"] == tenant.metadata.uid]
    assert [one["type"] for one in sorted(mine, key=lambda each: int(each["data"]["sequence"]))] == told()


async def test_what_is_odd_about_one_tenant_stops_no_other(
    worker: Worker, kube: KubeClient, names: Names, tenant: Tenant, sql: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose last state was written by another version, and one of which telling fails."""
    other = await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=9))
    failing = await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=9))
    await look(worker, kube, tenant.name)
    sql("UPDATE watched_tenants SET state = '{\"odd\": 1}', version = 1 WHERE uid = %s", tenant.metadata.uid)
    happenings = policies.happenings

    def sometimes(before: State | None, after: State) -> list[Happening]:
        if after.slug == failing.spec.slug:
            raise ZeroDivisionError
        return happenings(before, after)

    monkeypatch.setattr(policies, "happenings", sometimes)
    listing = await kube.list_as(TENANT, sighting)
    await worker.tenant_events.see_all(listing.items, int(listing.resource_version))

    def told(of: Tenant) -> list[str]:
        rows = sql("SELECT type FROM tenant_events WHERE tenant_uid = %s ORDER BY id", of.metadata.uid)
        return [row[0] for row in rows]

    assert told(other)[:1] == ["tenant.created"]
    assert told(failing) == []
    assert told(tenant).count("tenant.created") == 2, "taken for new"
    monkeypatch.undo()
    await look(worker, kube, failing.name)
    assert told(failing)[:1] == ["tenant.created"]


async def test_what_is_not_taken_is_tried_again_with_the_same_message_and_logged(
    admin: httpx.Client, receiver: Receiver, worker: Worker, infrastructure: composition.Infrastructure,
    kube: KubeClient, tenant: Tenant, later: Later,
) -> None:  # fmt: skip
    await look(worker, kube, tenant.name)
    made = await hook(admin, receiver)
    receiver.answer, receiver.said = "500 Broken", "<b>no</b>" * 100
    await close(infrastructure, tenant.name)
    await look(worker, kube, tenant.name)
    await worker.outbox.drain(DELIVER)
    assert (await ask(admin, "GET", f"{made['id']}"))["failing_since"]
    await worker.outbox.drain(DELIVER)
    assert len(receiver.got) == 1, "it waits"

    later(timedelta(minutes=1))
    receiver.answer, receiver.said = "200 Fine", ""
    await worker.outbox.drain(DELIVER)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    attempts = (await ask(admin, "GET", f"{made['id']}/attempts"))["items"]
    assert [(one["number"], one["status"], one["problem"]) for one in attempts] == [
        (2, 200, ""),
        (1, 500, "It answered 500."),
    ]
    assert attempts[1]["answer"] == ("<b>no</b>" * 100)[:ANSWER_MAX]
    assert (await ask(admin, "GET", f"{made['id']}"))["failing_since"] is None

    await ask(admin, "POST", f"{made['id']}/messages/{attempts[0]['message']}/resend")
    await worker.outbox.drain(DELIVER)
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [attempts[0]["message"]] * 3
    pages = await ask(admin, "GET", f"{made['id']}/attempts", params={"limit": 2})
    behind = {"limit": 2, "cursor": pages["next_cursor"]}
    assert [one["number"] for one in (await ask(admin, "GET", f"{made['id']}/attempts", params=behind))["items"]] == [1]


async def test_one_that_does_not_answer_holds_up_no_other(
    admin: httpx.Client, receiver: Receiver, worker: Worker, infrastructure: composition.Infrastructure,
    kube: KubeClient, tenant: Tenant, later: Later,
) -> None:  # fmt: skip
    """Only the first of its messages is tried; the others wait until it is asked again. By hand it is asked at once."""
    await look(worker, kube, tenant.name)
    made = await hook(admin, receiver, "tenant.suspended", "tenant.resumed")
    receiver.answer = "500 Broken"
    await close(infrastructure, tenant.name)
    await look(worker, kube, tenant.name)
    resume = Resume(reason="x")
    await composition.services(infrastructure).tenants.resume(tenant.name, resume, "ada@vivero.example")
    await look(worker, kube, tenant.name)
    await worker.outbox.drain(DELIVER)
    assert len(receiver.got) == 1
    (attempt,) = (await ask(admin, "GET", f"{made['id']}/attempts"))["items"]
    await ask(admin, "POST", f"{made['id']}/messages/{attempt['message']}/resend")
    await worker.outbox.drain(DELIVER)
    assert len(receiver.got) == 2
    receiver.answer = "200 Fine"
    for minutes in (2, 10):
        later(timedelta(minutes=minutes))
        await worker.outbox.drain(DELIVER)
    assert {json.loads(body)["type"] for _, body in receiver.got} == {"tenant.suspended", "tenant.resumed"}
    assert (await ask(admin, "GET", f"{made['id']}"))["failing_since"] is None


async def test_one_that_answers_a_byte_at_a_time_is_given_up(receiver: Receiver) -> None:
    receiver.trickles = True
    outcome = await receiver.sender(whole_seconds=1).send(f"https://{NAME}:{receiver.port}/", b"{}", {})
    assert (outcome.delivered, outcome.problem) == (False, "No answer in time.")
    assert receiver.said == "begun"


async def test_after_a_rotation_both_secrets_sign_for_a_day(
    admin: httpx.Client, receiver: Receiver, worker: Worker, infrastructure: composition.Infrastructure,
    kube: KubeClient, tenant: Tenant, later: Later, sql: Ask,
) -> None:  # fmt: skip
    await look(worker, kube, tenant.name)
    made = await hook(admin, receiver)
    fresh = await ask(admin, "POST", f"{made['id']}/secret")
    assert fresh["old_secret_until"]
    stored = sql("SELECT secret, old_secret FROM webhook_endpoints WHERE id = %s", made["id"])[0]
    for secret in (made["secret"], fresh["secret"]):
        assert all(base64.b64decode(secret.removeprefix("whsec_")) not in one for one in stored)
    await close(infrastructure, tenant.name)
    await look(worker, kube, tenant.name)
    await worker.outbox.drain(DELIVER)
    assert all(signatures(secret, *receiver.got[0]) for secret in (made["secret"], fresh["secret"]))

    later(timedelta(hours=25))
    (attempt,) = (await ask(admin, "GET", f"{made['id']}/attempts"))["items"]
    await composition.services(infrastructure).webhooks.resend(made["id"], attempt["message"], "ada@vivero.example")
    await worker.outbox.drain(DELIVER)
    assert signatures(fresh["secret"], *receiver.got[1])
    assert not signatures(made["secret"], *receiver.got[1])


async def test_days_of_failures_switch_it_off_and_a_mail_says_so(
    admin: httpx.Client, receiver: Receiver, worker: Worker, infrastructure: composition.Infrastructure,
    kube: KubeClient, tenant: Tenant, sql: Ask,
) -> None:  # fmt: skip
    await look(worker, kube, tenant.name)
    made = await hook(admin, receiver)
    receiver.answer = "503 Away"
    since = datetime.now(UTC) - SWITCHED_OFF_AFTER
    sql("UPDATE webhook_endpoints SET failing_since = %s WHERE id = %s", since.replace(tzinfo=None), made["id"])
    await close(infrastructure, tenant.name)
    await look(worker, kube, tenant.name)
    await worker.outbox.drain(DELIVER)
    assert not (await ask(admin, "GET", f"{made['id']}"))["active"]
    ((to, text),) = sql(
        "SELECT JSON_VALUE(payload, '$.to'), JSON_VALUE(payload, '$.text') FROM outbox WHERE subject = %s",
        f"webhook/{made['id']}",
    )
    assert to == made["made_by"]
    assert f"/staff/webhooks/{made['id']}" in text
    message = (await ask(admin, "GET", f"{made['id']}/attempts"))["items"][0]["message"]
    refused = await asyncio.to_thread(admin.post, f"{PATH}/{made['id']}/messages/{message}/resend")
    assert (refused.status_code, refused.json()["title"]) == (409, "Switched off")
    on = await ask(admin, "PATCH", f"{made['id']}", json={"active": True})
    assert (on["active"], on["failing_since"]) == (True, None)
    sql("DELETE FROM outbox WHERE subject = %s", f"webhook/{made['id']}")


async def test_the_programs_own_sender_reaches_nothing_of_ours(
    admin: httpx.Client, receiver: Receiver, infrastructure: composition.Infrastructure, kube: KubeClient,
    tenant: Tenant, sql: Ask,
) -> None:  # fmt: skip
    worker = Worker(infrastructure)
    await look(worker, kube, tenant.name)
    made = await hook(admin, receiver)
    sql("UPDATE webhook_endpoints SET url = 'https://127.0.0.1/' WHERE id = %s", made["id"])
    await close(infrastructure, tenant.name)
    await look(worker, kube, tenant.name)
    await worker.outbox.drain(DELIVER)
    (attempt,) = (await ask(admin, "GET", f"{made['id']}/attempts"))["items"]
    assert attempt["problem"] == "The host has an address that is not on the Internet."
    for url in ("https://10.0.0.1/", "http://example.com/", "https://x.svc/"):
        answer = await asyncio.to_thread(admin.post, PATH, json={"url": url, "events": ["tenant.paid"]})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")


async def test_webhooks_are_for_admins_and_bounded(
    client: httpx.Client, admin: httpx.Client, infrastructure: composition.Infrastructure
) -> None:
    body = {"url": "https://hooks.example.com/", "events": ["tenant.paid"]}
    answers = [await asyncio.to_thread(admin.post, PATH, json=body) for _ in range(21)]
    assert [one.status_code for one in answers] == [201] * 20 + [409]
    one = answers[0].json()["id"]
    assert (await asyncio.to_thread(admin.delete, f"{PATH}/{one}")).status_code == 204
    assert (await asyncio.to_thread(admin.get, f"{PATH}/{one}")).status_code == 404
    member = await add_member(infrastructure, "support")
    token = (await asyncio.to_thread(log_in, client, member.email, PASSWORD)).json()["access_token"]
    refused = await asyncio.to_thread(client.get, PATH, headers={"authorization": f"Bearer {token}"})
    assert refused.status_code == 403
