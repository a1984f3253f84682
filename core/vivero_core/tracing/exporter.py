"""Sends spans to a collector, by a thread of its own: OTLP over HTTP, a POST to /v1/traces for each batch.

Nothing waits for it. What does not fit into its queue, or could not be sent, is dropped and counted in the log.
"""

import logging
import ssl
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from vivero_core.tracing.otlp import export_request
from vivero_core.tracing.spans import Span, Value

PATH: Final = "/v1/traces"
BATCH: Final = 256
QUEUE: Final = 2048
"""Spans that wait; some 2 MiB."""
PAUSE_SECONDS: Final = 5.0
SEND_SECONDS: Final = 3.0
"""To connect, and for each read; also for what is left at the end of the program."""
_ANSWER_BYTES: Final = 64 * 1024
_OK: Final = range(200, 300)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """A collector.

    Attributes:
        endpoint: http or https, with a path where /v1/traces is below one.
        headers: by which a product knows whose spans they are; secret.
        authority: file with the certificates of an authority that is trusted besides the system's.
    """

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authority: Path | None = None

    def post(self, body: bytes) -> None:
        """Raises OSError or HTTPException when it was not taken."""
        address = urlsplit(self.endpoint)
        connection = (
            HTTPSConnection(address.netloc, timeout=SEND_SECONDS, context=self._tls())
            if address.scheme == "https"
            else HTTPConnection(address.netloc, timeout=SEND_SECONDS)
        )
        try:
            headers = {**self.headers, "Content-Type": "application/x-protobuf"}
            connection.request("POST", address.path.rstrip("/") + PATH, body, headers)
            answer = connection.getresponse()
            answer.read(_ANSWER_BYTES)
        finally:
            connection.close()
        if answer.status not in _OK:
            raise HTTPException(f"status {answer.status}")

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if self.authority is not None:
            context.load_verify_locations(self.authority)
        return context


class Exporter:
    """The queue and its thread, which begins with the first span."""

    def __init__(self, target: Target, resource: Mapping[str, Value]) -> None:
        self._target = target
        self._resource = resource
        self._waiting: deque[Span] = deque()
        self._dropped = 0
        """Since the collector last took something."""
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._closed = False

    def keep(self, span: Span) -> None:
        """Queue it."""
        if len(self._waiting) >= QUEUE:
            self._dropped += 1
            return
        self._waiting.append(span)
        if self._thread is None:
            self._start()
        if len(self._waiting) >= BATCH:
            self._wake.set()

    def close(self) -> None:
        """Send what waits, for SEND_SECONDS at most."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(SEND_SECONDS)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(PAUSE_SECONDS)
            self._wake.clear()
            while self._waiting:
                self._send([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])

    def _send(self, batch: list[Span]) -> None:
        try:
            self._target.post(export_request(self._resource, "vivero", batch))
        except (OSError, HTTPException) as error:
            if not self._dropped:
                logger.warning("traces are not taken, spans are dropped: %s: %s", type(error).__name__, error)
            self._dropped += len(batch)
        else:
            if self._dropped:
                logger.warning("traces are taken again; %d spans were dropped", self._dropped)
            self._dropped = 0
