"""Webhooks, from the change of a record to a receiver with TLS."""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from integration.data_plane.workspace import Workspace
from vivero_data.domain.webhooks.delivery import WebhookDelivery, next_attempt
from vivero_data.domain.webhooks.schemas import MAX_WEBHOOKS
from vivero_web import clock
from vivero_web.sealed import SealedSecrets
from vivero_web.webhook_sender import WebhookSender

HOOKS, RECORDS = "/api/v1/webhooks", "/api/v1/collections/Contacts/records"
NAME = "hooks.example.com"


class Receiver:
    """A server with a certificate for NAME; notes what it gets, and answers as it is told."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(clock.now() - timedelta(days=1))
            .not_valid_after(clock.now() + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.certificate, private = folder / "hooks.crt", folder / "hooks.key"
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, *pem))
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(self.certificate, private)
        self.answer = "204 No Content"
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.port = 0

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(f"HTTP/1.1 {self.answer}\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    made = Receiver(tmp_path)
    server = await made.serve()
    yield made
    server.close()


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
    sender = WebhookSender(
        lambda: ssl.create_default_context(cafile=str(receiver.certificate)),
        lambda *_: ["127.0.0.1"],
        lambda _: True,
    )
    sealed = SealedSecrets(quiet.settings.app.file_key, "vivero-data", "webhooks")
    return WebhookDelivery(services.database, sender, sealed, services.links, services.webhooks.wakeup)


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
