"""Sends what a program tells about itself, by a thread of its own: a POST over HTTP for each batch.

Nothing waits for it. What does not fit into its queue, or could not be sent, is dropped and counted in the log.
"""

import logging
import re
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final, Generic, TypeVar
from urllib.parse import urlsplit

SEND_SECONDS: Final = 3.0
"""To connect, and for each read; also for what is left at the end of the program."""
_ANSWER_BYTES: Final = 64 * 1024
_OK: Final = range(200, 300)
_SECONDS: Final = re.compile(r"[0-9]{1,9}")

logger = logging.getLogger(__name__)
T = TypeVar("T")


class RefusedError(HTTPException):
    """Another status than 2xx.

    Attributes:
        retry_after: seconds for which nothing more is to be sent, where the answer says so.
    """

    def __init__(self, status: int, retry_after: str | None) -> None:
        super().__init__(f"status {status}")
        self.retry_after = int(retry_after) if retry_after and _SECONDS.fullmatch(retry_after) else None


@dataclass(frozen=True)
class Target:
    """A server that takes it.

    Attributes:
        url: http or https, with a path.
        headers: by which it knows who sends; secret.
        authority: file with the certificates of an authority that is trusted besides the system's.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authority: Path | None = None

    def post(self, body: bytes) -> None:
        """Raises OSError or HTTPException when it was not taken."""
        address = urlsplit(self.url)
        connection = (
            HTTPSConnection(address.netloc, timeout=SEND_SECONDS, context=self._tls())
            if address.scheme == "https"
            else HTTPConnection(address.netloc, timeout=SEND_SECONDS)
        )
        try:
            connection.request("POST", address.path, body, dict(self.headers))
            answer = connection.getresponse()
            answer.read(_ANSWER_BYTES)
        finally:
            connection.close()
        if answer.status not in _OK:
            raise RefusedError(answer.status, answer.getheader("Retry-After"))

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if self.authority is not None:
            context.load_verify_locations(self.authority)
        return context


class SendingQueue(Generic[T]):
    """The queue and its thread, which begins with the first that is kept.

    Args:
        what: the plural of what is sent, for the log.
        send: a batch; raises OSError or HTTPException when it was not taken.
        room: so many wait at most.
        batch: so many are sent at once at most, and when so many wait, at once.
        pause: seconds after which fewer are sent, too.
    """

    def __init__(self, what: str, send: Callable[[list[T]], None], *, room: int, batch: int, pause: float) -> None:
        self._what = what
        self._send = send
        self._room = room
        self._batch = batch
        self._pause = pause
        self._waiting: deque[T] = deque()
        self._dropped = 0
        """Since something was last taken."""
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._closed = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def keep(self, one: T) -> None:
        """Queue it."""
        if len(self._waiting) >= self._room:
            self._dropped += 1
            return
        self._waiting.append(one)
        if self._thread is None:
            self._start()
        if len(self._waiting) >= self._batch:
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
                self._thread = threading.Thread(target=self._run, name=self._what, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(self._pause)
            self._wake.clear()
            self._send_all()
        self._send_all()  # what came between the last look and the end

    def _send_all(self) -> None:
        while self._waiting:
            self._try([self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))])

    def _try(self, batch: list[T]) -> None:
        try:
            self._send(batch)
        except (OSError, HTTPException) as error:
            if not self._dropped:
                logger.warning("%s are not taken, and are dropped: %s: %s", self._what, type(error).__name__, error)
            self._dropped += len(batch)
        else:
            if self._dropped:
                logger.warning("%s are taken again; %d were dropped", self._what, self._dropped)
            self._dropped = 0
