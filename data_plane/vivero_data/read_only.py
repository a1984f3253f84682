"""A workspace as of a second: its data is read only, and this layer says so before anything else is asked of a write.

Its database login may only SELECT; without this layer a write would end as an error of ours.
"""

import re
from datetime import UTC, datetime
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from vivero_web.errors import WebError
from vivero_web.problem import Answers

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PASSED: Final = re.compile(
    r"/login|/login/code|/logout|/api/v1/auth/(login|logout|refresh)|/collections/[^/]+/columns"
)
"""Sessions, which are in the cache, and the columns of a table, which are in a cookie."""


class ReadOnlyError(WebError):
    """Nothing can be changed in a workspace as of a second."""

    status = 403
    slug = "read-only"
    title = "This workspace is read only"

    def __init__(self, as_of: datetime) -> None:
        super().__init__(
            f"This is the workspace as of {in_words(as_of)}. It can be read, and nothing in it be changed."
        )


def in_words(as_of: datetime) -> str:
    return f"{as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S} (UTC)"


class ReadOnly:
    """Refuses every request that may write, but for what is kept elsewhere."""

    def __init__(self, app: ASGIApp, answers: Answers, as_of: datetime) -> None:
        self._app = app
        self._answers = answers
        self._as_of = as_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and _may_write(scope["method"], scope["path"]):
            await self._answers.error(ReadOnlyError(self._as_of), scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _may_write(method: str, path: str) -> bool:
    return method not in _READING and _PASSED.fullmatch(path) is None
