"""Webhooks: each event is signed and sent in a thread, again and again with pauses until it is taken."""

import hashlib
import hmac
import json
import queue
import ssl
import threading
import time
from typing import Final

import httpx

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


class Webhooks:
    """Sends to one address; `send` returns at once."""

    def __init__(self, url: str, secret: str, tls: ssl.SSLContext | bool = True) -> None:  # noqa: FBT001, FBT002  as httpx has it
        self._url = url
        self._secret = secret
        self._client = httpx.Client(verify=tls, timeout=SECONDS)
        self._waiting: queue.Queue[tuple[Object, int]] = queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def send(self, event: Object) -> None:
        self._waiting.put((event, 1))

    def _run(self) -> None:
        while True:
            event, attempt = self._waiting.get()
            if not self._sent(event) and attempt < TRIES:
                pause = min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
                threading.Timer(pause, self._waiting.put, ((event, attempt + 1),)).start()

    def _sent(self, event: Object) -> bool:
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json",
            # The real time, whatever the stand-in's clock says: a signature is good for minutes.
            "Stripe-Signature": signature(self._secret, body, int(time.time())),
        }
        try:
            return self._client.post(self._url, content=body, headers=headers).status_code in TAKEN
        except httpx.HTTPError:
            return False
