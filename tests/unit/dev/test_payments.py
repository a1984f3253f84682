"""The stand-in of Stripe as a program: webhooks that are sent again, and one start to end."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.sockets import free_port
from vivero_control.domain.billing.signatures import check
from vivero_dev.payments import webhooks
from vivero_dev.payments.webhooks import Webhooks

SECRET = "whsec_standin"
PATIENCE = 60.0


class Receiver:
    """Answers with what is left of `statuses`, then 204; keeps what it got."""

    def __init__(self, *statuses: int) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.taken = threading.Event()
        left, receiver = iter(statuses), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
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
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/events"
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
    Webhooks(receiver.url, SECRET).send({"id": "evt_1"})
    assert receiver.taken.wait(PATIENCE)
    assert len(receiver.got) == 3
    assert len({body for _, body in receiver.got}) == 1
    for header, body in receiver.got:
        check(SECRET, header, body, datetime.now(UTC))


def test_the_program_serves_and_tells_until_it_is_stopped(receivers: list[Receiver], tmp_path: Path) -> None:
    receiver = Receiver()
    receivers.append(receiver)
    (tmp_path / "key").write_text("sk_test_program\n")
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    port = free_port()
    program = subprocess.Popen(  # noqa: S603  our own program
        [
            *(sys.executable, "-m", "vivero_dev.payments", f"--port={port}"),
            *(f"--secret-key-file={tmp_path}/key", f"--webhook-secret-file={tmp_path}/secret"),
            f"--webhook-url={receiver.url}",
        ]
    )
    try:
        transport = httpx.HTTPTransport(retries=10)  # refused connections alone, with growing pauses
        headers = {"Authorization": "Bearer sk_test_program"}
        with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            made = client.post("/v1/customers", data={"email": "a@example.com"}, headers=headers)
            assert made.json()["email"] == "a@example.com"
            assert client.post("/v1/customers", data={"email": "a@example.com"}).status_code == 401
            assert client.get("/v1/nothing", headers=headers).status_code == 404
        assert receiver.taken.wait(PATIENCE)
        program.send_signal(signal.SIGTERM)
        assert program.wait(PATIENCE) == 0
    finally:
        program.kill()
