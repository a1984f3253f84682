"""A Sentry that records what it gets, read by the class of Sentry's own library (develop.sentry.dev/sdk/foundations/envelopes)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from sentry_sdk.envelope import Envelope
from support.receiving import Answer, Post, receiving

KEY = "0a1b2c"


@dataclass
class Sentry:
    """What came: each event, the paths, the headers, and all of it as text.

    With a `status` of its own it takes nothing, and answers with `headers_back`.
    """

    host: str = ""
    status: int = 200
    headers_back: Mapping[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    text: str = ""

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@{self.host}/sentry/42"


@contextmanager
def taking_reports() -> Iterator[Sentry]:
    """Listens on loopback while the block runs."""
    sentry = Sentry()

    def take(post: Post) -> Answer:
        sentry.paths.append(post.path)
        sentry.headers.append(post.headers)
        sentry.text += post.body.decode()
        if sentry.status != HTTPStatus.OK:
            return Answer(sentry.status, sentry.headers_back)
        event = Envelope.deserialize(post.body).get_event()
        assert event is not None
        sentry.events.append(dict(event))
        return Answer(200, {"Content-Type": "application/json"}, b"{}")

    with receiving(take) as host:
        sentry.host = host
        yield sentry


def functions(event: Mapping[str, Any]) -> list[list[str]]:
    """Of each exception of an event, outermost frame first."""
    return [[frame["function"] for frame in one["stacktrace"]["frames"]] for one in event["exception"]["values"]]
