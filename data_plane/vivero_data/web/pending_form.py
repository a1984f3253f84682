"""Preserves the content of a form that could not be processed, in the page that is shown instead (ADR 0029).

After an expired session or an outage of the database that page has the form's values in hidden inputs, to be submitted
again. Nothing is stored on the server. Only same-origin forms are preserved, so another site cannot inject values.
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
"""Body limit of the login form, which carries the preserved values."""
_MOST_BYTES: Final = LOGIN_BYTES * 3 // 4  # leaves room for the prefixed names in the login form
_FORM: Final = "application/x-www-form-urlencoded"
_PREFIX: Final = "kept-"
_SECRET: Final = frozenset({"password", "current_password", "new_password", "code", "challenge", "ticket"})
"""Credentials: never written into a page."""

AnyRequest = Request[Any, Any, Any]


class PendingForm(msgspec.Struct, frozen=True):
    """A form to be submitted again: its target path, and its values by input name."""

    target: str
    texts: dict[str, str]

    @property
    def inputs(self) -> dict[str, str]:
        """The values, with prefixed names that do not collide with the login form's."""
        return {f"{_PREFIX}{name}": text for name, text in self.texts.items()}


def is_short_form(request: AnyRequest) -> bool:
    """Whether it is a same-origin form without files, small enough to be read without authentication."""
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
    """The form's values; None if there are none, or the body is malformed."""
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
    """The pending form in a login's hidden inputs; None for a plain login."""
    texts = {name.removeprefix(_PREFIX): text for name, text in form.items() if name.startswith(_PREFIX)}
    return PendingForm(target, texts) if texts else None


class PendingFormResponse(Response[str]):
    """A response that reads the failed form first: exception handlers are synchronous, responses are not."""

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
