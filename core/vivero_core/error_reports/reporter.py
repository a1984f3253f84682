"""Reports a program's errors: what it logs as one, and what nothing caught. Bounded, and nothing waits for it."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from vivero_core.tracing.spans import current

if TYPE_CHECKING:
    from vivero_core.error_reports.dsn import Dsn
    from vivero_core.error_reports.sender import Sender

A_MINUTE: Final = 10
"""Reports of one program at most: a thousand pods with the same error flood nothing."""
_MINUTE: Final = 60.0
_IDS: Final = ("tenant_id", "tenant", "request_id", "id", "kind", "object", "job", "attempt", "task", "loop")
"""What of a log line goes along: never what a person typed."""
_OURS: Final = ("vivero_", "vivero-")
"""Loggers of our modules, and our programs."""
_LEVELS: Final = {"error": "error", "critical": "fatal"}


@dataclass(frozen=True)
class Program:
    """Who reports.

    Attributes:
        service: its name.
        version: of its release; empty where there is none.
        tags: ids that each of its reports has.
        authority: file with the certificates of an authority that is trusted besides the system's.
    """

    service: str = ""
    version: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    authority: Path | None = None


class Reporter:
    """As a context it also reports what nothing caught, and at its end sends what waits.

    Args:
        address: Sentry's for the project, asked at each error, so that it may come and change while the program runs; None:
            nothing is reported, and nothing is loaded for it. It raises nothing.
        program: who reports.
    """

    def __init__(
        self,
        address: Callable[[], "Dsn | None"] = lambda: None,
        program: Program = Program(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._program = program
        self._monotonic = monotonic
        self._sender: Sender | None = None
        self._minute = -_MINUTE
        self._in_minute = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self.report("uncaught", "critical", error)
        self.close()

    def report(
        self, what: object, level: str, error: BaseException | None, fields: Mapping[str, Any] | None = None
    ) -> None:
        """Queue it, if it is an error.

        Args:
            what: the log's words for it before anything is put into them. Of a library's nothing is sent: many put theirs
                together first, and asyncio quotes the exception.
            level: the log's; of others than errors nothing is sent.
            error: the exception, if there is one; of its words nothing is sent.
            fields: of the log line; `logger` and ids go along.
        """
        if level not in _LEVELS or (address := self._address()) is None or not self._has_room():
            return
        from vivero_core.error_reports.envelope import Occurrence, envelope  # noqa: PLC0415  most programs need none
        from vivero_core.error_reports.sender import Sender  # noqa: PLC0415  as above

        given = fields or {}
        where = str(given.get("logger", self._program.service))
        said = what if isinstance(what, str) and where.startswith(_OURS) else where
        tags = {name: str(given[name]) for name in _IDS if isinstance(given.get(name), str | int)}
        occurrence = Occurrence(
            uuid.uuid4().hex,
            datetime.now(UTC),
            said,
            where,
            _LEVELS[level],
            error,
            {**self._program.tags, **tags},
            current(),
        )
        if self._sender is None:
            self._sender = Sender(self._program.authority, self._monotonic)
        self._sender.keep(address, envelope(occurrence, self._program.service, self._program.version))

    def close(self) -> None:
        """Send what waits, for some seconds at most."""
        if self._sender is not None:
            self._sender.close()

    def _has_room(self) -> bool:
        now = self._monotonic()
        if now - self._minute >= _MINUTE:
            self._minute, self._in_minute = now, 0
        self._in_minute += 1
        return self._in_minute <= A_MINUTE
