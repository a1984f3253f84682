"""Sends reports, by a thread of its own: each as soon as it is there, none while Sentry wants none."""

from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Final

from vivero_core.error_reports.dsn import Dsn
from vivero_core.error_reports.envelope import CONTENT_TYPE
from vivero_core.sending import RefusedError, SendingQueue, Target

ROOM: Final = 20
"""Reports that wait; each has some 20 KiB."""
_PAUSE: Final = 5.0
_LONGEST_REST: Final = 3600
CLIENT: Final = "vivero/1"


class Sender:
    """Reports, each with the address that it is for."""

    def __init__(self, authority: Path | None, monotonic: Callable[[], float]) -> None:
        self._authority = authority
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._queue: SendingQueue[tuple[Dsn, bytes]] = SendingQueue(
            "error reports", self._send, room=ROOM, batch=1, pause=_PAUSE
        )

    def keep(self, address: Dsn, report: bytes) -> None:
        self._queue.keep((address, report))

    def close(self) -> None:
        """Send what waits, for some seconds at most."""
        self._queue.close()

    def _send(self, batch: list[tuple[Dsn, bytes]]) -> None:
        for address, report in batch:
            if self._monotonic() < self._rests_until:
                raise HTTPException("asked for rest")
            self._post(address, report)

    def _post(self, address: Dsn, report: bytes) -> None:
        known = f"Sentry sentry_version=7, sentry_client={CLIENT}, sentry_key={address.key}"
        target = Target(address.url, {"Content-Type": CONTENT_TYPE, "X-Sentry-Auth": known}, self._authority)
        try:
            target.post(report)
        except RefusedError as error:
            if error.retry_after is not None:
                self._rests_until = self._monotonic() + min(error.retry_after, _LONGEST_REST)
            raise
