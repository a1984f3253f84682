"""The stand-in of Stripe as a program: webhooks that are sent again, and one start to end."""

import json
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.sockets import free_port
from vivero_control.domain.billing.signatures import check
from vivero_dev.certificates import Authority
from vivero_dev.payments import webhooks
from vivero_dev.payments.ledger import DAY, Ledger, RefusedError
from vivero_dev.payments.webhooks import Destination, Webhooks
from vivero_dev.serving import tls_context

SECRET = "whsec_standin"
PATIENCE = 60.0


class Receiver:
    """Answers with what is left of `statuses`, then 204; keeps what it got."""

    def __init__(self, *statuses: int, tls: ssl.SSLContext | None = None) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.hosts: list[str] = []
        self.taken = threading.Event()
        left, receiver = iter(statuses), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.hosts.append(self.headers["Host"])
                receiver.got.append((self.headers["Stripe-Signature"], body))
                status = next(left, 204)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if status == 204:
                    receiver.taken.set()

            def log_message(self, *_: Any) -> None:  # noqa: ANN401  the base class' own
                """Log nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/events"
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    made: list[Receiver] = []
    yield made
    for one in made:
        one.server.shutdown()
        one.server.server_close()


def test_a_webhook_is_sent_again_until_it_is_taken(receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE", 0.01)
    receiver = Receiver(503, 500)
    receivers.append(receiver)
    Webhooks(Destination(receiver.url), SECRET).send({"id": "evt_1"})
    assert receiver.taken.wait(PATIENCE)
    assert len(receiver.got) == 3
    assert len({body for _, body in receiver.got}) == 1
    for header, body in receiver.got:
        check(SECRET, header, body, datetime.now(UTC))


def test_a_webhook_goes_by_tls_to_a_name_that_does_not_resolve(receivers: list[Receiver], tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("page", ["vivero.localhost"])
    receiver = Receiver(tls=tls_context(pair.certificate, pair.key))
    receivers.append(receiver)
    trusted = ssl.create_default_context(cafile=authority.certificate)
    at = f"127.0.0.1:{receiver.port}"
    Webhooks(Destination("https://vivero.localhost:8443/events", at, trusted), SECRET).send({"id": "evt_1"})
    assert receiver.taken.wait(PATIENCE)
    assert receiver.hosts == ["vivero.localhost:8443"]
    with pytest.raises(ssl.SSLCertVerificationError):
        Destination("https://another.localhost:8443/events", at, trusted).post(b"{}", {})


@contextmanager
def program(folder: Path, port: int, webhook_url: str) -> Iterator[httpx.Client]:
    """It runs until the end of the block, and ends well."""
    (folder / "key").write_text("sk_test_program\n")
    (folder / "secret").write_text(f"{SECRET}\n")
    url = f"http://127.0.0.1:{port}"
    running = subprocess.Popen(  # noqa: S603  our own program
        [
            *(sys.executable, "-m", "vivero_dev.payments", "--address=127.0.0.1", f"--port={port}"),
            *(f"--public-url={url}", f"--folder={folder}"),
            *(f"--secret-key-file={folder}/key", f"--webhook-secret-file={folder}/secret"),
            f"--webhook-url={webhook_url}",
        ]
    )
    try:
        transport = httpx.HTTPTransport(retries=10)  # refused connections alone, with growing pauses
        headers = {"Authorization": "Bearer sk_test_program"}
        with httpx.Client(transport=transport, base_url=url, timeout=PATIENCE, headers=headers) as client:
            yield client
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0
    finally:
        running.kill()


def test_the_program_serves_tells_and_remembers(receivers: list[Receiver], tmp_path: Path) -> None:
    receiver = Receiver()
    receivers.append(receiver)
    port, key = free_port(), {"Idempotency-Key": "one"}
    order = {"email": "a@example.com"}
    with program(tmp_path, port, receiver.url) as client:
        made = client.post("/v1/customers", data=order, headers=key).json()
        assert made["email"] == "a@example.com"
        assert client.post("/v1/customers", data=order, headers={"Authorization": "none"}).status_code == 401
        assert client.get("/v1/nothing").status_code == 404
        assert client.get("/health", headers={"Authorization": ""}).json() == {"subscriptions": 0}
        assert client.post("/test/clock", data={"seconds": "3600"}).status_code == 200
        assert receiver.taken.wait(PATIENCE)
    with program(tmp_path, port, receiver.url) as client:
        assert client.post("/v1/customers", data=order, headers=key).json() == made
        portal = client.post("/v1/billing_portal/sessions", data={"customer": made["id"], "return_url": "https://a.b"})
        assert portal.json()["url"].startswith(f"http://127.0.0.1:{port}/portal/")
        moved = client.post("/test/clock", data={"seconds": "0"}).json()["now"]
        assert moved >= made["created"] + 3600


def test_a_ledger_is_what_it_was_when_its_state_is_read_again() -> None:
    ledger = Ledger("http://127.0.0.1")
    customer = ledger.create_customer({"email": "a@example.com"})["id"]
    item = {"currency": "eur", "unit_amount": "9900", "recurring": {"interval": "month"}, "product_data": {"name": "A"}}
    order = {"customer": customer, "success_url": "s", "cancel_url": "c", "line_items": {"0": {"price_data": item}}}
    asked = "/v1/checkout/sessions order"
    page = ledger.once("key", asked, lambda: ledger.create_session(order))
    ledger.pay_session(page["id"], "fails-later")
    ledger.advance(33 * DAY)
    older = {key: value for key, value in ledger.state().items() if key != "products"}
    Ledger("http://127.0.0.1").restore(older)
    again = Ledger("http://127.0.0.1")
    again.restore(json.loads(json.dumps(ledger.state())))
    assert again.state() == ledger.state()
    assert again.once("key", asked, lambda: again.create_session(order)) == page
    for one in (ledger, again):
        one.advance(30 * DAY)
    ended = [next(iter(one.subscriptions.values()))["status"] for one in (ledger, again)]
    assert ended == ["unpaid", "unpaid"]


def test_what_is_listed_is_one_customers_or_all() -> None:
    """The control plane asks for one subscription of anybody's to see whether the provider answers."""
    ledger = Ledger("http://pay")
    first, second = (ledger.create_customer({"email": f"{name}@example.com"})["id"] for name in ("ada", "bo"))
    kind = {"one": {"customer": first}, "two": {"customer": second}}
    assert [one["customer"] for one in ledger.listed(kind, "")] == [second, first]
    assert [one["customer"] for one in ledger.listed(kind, first)] == [first]
    with pytest.raises(RefusedError):
        ledger.listed(kind, "cus_nobody")
