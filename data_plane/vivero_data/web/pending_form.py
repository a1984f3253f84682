"""What was typed into a form that is not answered as it should be: it travels on in the page that comes instead.

A session that ended, a database that is away: such a page holds what was typed, to be sent again as it was. Nothing of
it is stored here. Only forms of our own pages are kept, so nobody else can put words into one.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send
from vivero_web.bodies import read_form
from vivero_web.errors import WebError
from vivero_web.security import is_same_origin

from vivero_data.web.forms import local_path

LOGIN: Final = "/login"
LOGIN_BYTES: Final = 256 * 1024
"""Of the login's form, in which what was typed is sent along."""
_MOST_BYTES: Final = LOGIN_BYTES * 3 // 4  # leaves room for the longer names that it has there
_FORM: Final = "application/x-www-form-urlencoded"
_PREFIX: Final = "kept-"
_SECRET: Final = frozenset({"password", "current_password", "new_password", "code", "ticket"})
"""What lets somebody in: no page shows it again."""

AnyRequest = Request[Any, Any, Any]


class PendingForm(msgspec.Struct, frozen=True):
    """A form to be sent again: the path it goes to, and its texts by the names of their inputs."""

    target: str
    texts: dict[str, str]

    @property
    def inputs(self) -> dict[str, str]:
        """The texts by names that no input of a login has."""
        return {f"{_PREFIX}{name}": text for name, text in self.texts.items()}


def is_short_form(request: AnyRequest) -> bool:
    """Whether a page of ours sent it with texts alone, few enough to be read whoever it is from."""
    length = request.headers.get("content-length", "")
    return (
        request.method == "POST"
        and request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
        and is_same_origin(request.method, request.headers)
        and length.isascii()
        and length.isdigit()
        and int(length) <= _MOST_BYTES
    )


async def read_pending(request: AnyRequest) -> PendingForm | None:
    """What such a form holds; None when that is nothing, or cannot be read."""
    try:
        form = await read_form(request)
    except (WebError, HTTPException):
        return None
    target = quote(request.scope["path"])
    if target == LOGIN:
        return pending_in_login(form, local_path(form.get("next", "")))
    texts = {name: text for name, text in form.items() if name not in _SECRET}
    return PendingForm(target, texts) if texts else None


def pending_in_login(form: Mapping[str, str], target: str) -> PendingForm | None:
    """What a login's form brings along from `read_pending`; None when it was a login and no more."""
    texts = {name.removeprefix(_PREFIX): text for name, text in form.items() if name.startswith(_PREFIX)}
    return PendingForm(target, texts) if texts else None


class PendingFormResponse(Response[str]):
    """The answer to a form that failed, made of what was typed: exception handlers cannot wait for that, answers can."""

    def __init__(self, make: Callable[[PendingForm | None], Response[Any]]) -> None:
        super().__init__("")
        self._make = make

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> ASGIResponse:  # noqa: ANN401  as Litestar's
        async def made() -> ASGIResponse:
            answer = self._make(await read_pending(request))
            answer.headers.update(self.headers)
            return answer.to_asgi_response(app, request, **options)

        return _Later(made)


class _Later(ASGIResponse):
    def __init__(self, made: Callable[[], Awaitable[ASGIResponse]]) -> None:
        super().__init__()
        self._made = made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._made()
        await answer(scope, receive, send)
