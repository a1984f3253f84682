"""A report as Sentry takes it (develop.sentry.dev/sdk/foundations/envelopes): types, places and ids. Pure.

The words of an exception are in none: what a person typed may be among them. They are in the log, where a report's
request id leads.
"""

import json
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from vivero_core.log_events import redact
from vivero_core.tracing.context import Context

CONTENT_TYPE: Final = "application/x-sentry-envelope"
_FRAMES: Final = 60
"""The innermost of each exception."""
_EXCEPTIONS: Final = 8
_TEXT: Final = 200
"""Characters of a message or a tag: Sentry's bound of a tag."""
_OURS: Final = "vivero_"

Json = dict[str, Any]


@dataclass(frozen=True)
class Occurrence:
    """An error that is to be reported.

    Attributes:
        what: the log's words for it before anything is put into them.
        logger: the part of the program that said so.
        level: error, or fatal.
        tags: ids by which it is found elsewhere.
        trace: the span under way.
    """

    id: str
    at: datetime
    what: str
    logger: str
    level: str
    error: BaseException | None
    tags: Mapping[str, str]
    trace: Context | None


def envelope(occurrence: Occurrence, service: str, version: str) -> bytes:
    """Its header, and one item."""
    event = json.dumps(_event(occurrence, service, version)).encode()
    header = {"event_id": occurrence.id, "sent_at": occurrence.at.astimezone(UTC).isoformat()}
    item = {"type": "event", "length": len(event)}
    return b"\n".join([json.dumps(header).encode(), json.dumps(item).encode(), event, b""])


def _event(occurrence: Occurrence, service: str, version: str) -> Json:
    trace, error = occurrence.trace, occurrence.error
    event = {
        "event_id": occurrence.id,
        "timestamp": occurrence.at.timestamp(),
        "platform": "python",
        "level": occurrence.level,
        "logger": occurrence.logger,
        "server_name": service,
        "release": f"{service}@{version}" if version else None,
        "logentry": {"message": redact(occurrence.what)[:_TEXT]},
        "tags": {name: redact(value)[:_TEXT] for name, value in occurrence.tags.items()},
    }
    if error is not None:
        event["exception"] = {"values": [_exception(one) for one in reversed(_related(error))]}
    if trace is not None:
        event["contexts"] = {"trace": {"trace_id": trace.trace, "span_id": trace.span}}
    return event


def _related(error: BaseException) -> list[BaseException]:
    """It, those of its group, and what each followed from; each once, the nearest first."""
    found, waiting = [error], [error]
    while waiting:
        for one in _next(waiting.pop(0)):
            if len(found) < _EXCEPTIONS and not any(one is other for other in found):
                found.append(one)
                waiting.append(one)
    return found


def _next(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        yield from error.exceptions
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield before


def _exception(error: BaseException) -> Json:
    kind = type(error)
    frames = [_frame(*found) for found in traceback.walk_tb(error.__traceback__)][-_FRAMES:]
    return {"type": kind.__qualname__, "module": kind.__module__, "stacktrace": {"frames": frames}}


def _frame(frame: Any, line: int) -> Json:  # noqa: ANN401  types.FrameType, as walk_tb's stub has it
    module, code = str(frame.f_globals.get("__name__", "")), frame.f_code
    # As the package has it: where it is installed is of no use.
    parts = code.co_filename.replace("\\", "/").split("/")
    return {
        "function": code.co_qualname,
        "module": module,
        "filename": "/".join(parts[-(module.count(".") + 1) :]),
        "lineno": line,
        "in_app": module.startswith(_OURS),
    }
