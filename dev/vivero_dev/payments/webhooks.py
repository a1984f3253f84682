"""Webhooks: each event is signed and sent in a thread, again and again with pauses until it is taken."""

import hashlib
import hmac
import json
import queue
import socket
import ssl
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from vivero_dev.payments.objects import Object

TRIES: Final = 12
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
SECONDS: Final = 10.0
TAKEN: Final = range(200, 300)


def signature(secret: str, body: bytes, moment: int) -> str:
    """As Stripe's: an HMAC over the moment and the body."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Destination:
    """Where webhooks go.

    Args:
        url: with the host's name, which its certificate has and its requests name.
        connect: HOST:PORT where that is reached, for a name that does not resolve here.
        tls: for an https address.
    """

    def __init__(self, url: str, connect: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._named = parts.netloc
        self._path = parts.path
        self._tls = tls if parts.scheme == "https" else None
        default = 443 if parts.scheme == "https" else 80
        host, _, port = (connect or f"{self._host}:{parts.port or default}").rpartition(":")
        self._address = (host, int(port))

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer. Raises OSError or HTTPException without one."""
        connection = HTTPConnection(self._host)
        with socket.create_connection(self._address, SECONDS) as plain:
            connection.sock = self._tls.wrap_socket(plain, server_hostname=self._host) if self._tls else plain
            with connection.sock:
                connection.request("POST", self._path, body, {**headers, "Host": self._named})
                return connection.getresponse().status


class Webhooks:
    """Sends to one destination; `send` returns at once. What was not taken when the program ends is not sent again."""

    def __init__(self, destination: Destination, secret: str) -> None:
        self._destination = destination
        self._secret = secret
        self._waiting: queue.Queue[tuple[Object, int]] = queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def send(self, event: Object) -> None:
        self._waiting.put((event, 1))

    def _run(self) -> None:
        while True:
            event, attempt = self._waiting.get()
            if not self._sent(event) and attempt < TRIES:
                pause = min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
                again = threading.Timer(pause, self._waiting.put, ((event, attempt + 1),))
                again.daemon = True
                again.start()

    def _sent(self, event: Object) -> bool:
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json",
            # The real time, whatever the stand-in's clock says: a signature is good for minutes.
            "Stripe-Signature": signature(self._secret, body, int(time.time())),
        }
        try:
            return self._destination.post(body, headers) in TAKEN
        except (HTTPException, OSError):
            return False
