"""Requests as a browser sends them, to hosts of our own, through the ingress."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec
from vivero_core.backends.connections import Connector
from vivero_core.errors import ViveroError

from vivero_control.domain.signups.reachability import address_of, trust
from vivero_control.settings import Settings

REQUEST_SECONDS: Final = 20.0
ANSWER_BYTES: Final = 1024 * 1024


class ProbeFailedError(ViveroError):
    """What a customer would have met; holds no secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one request; no redirect is followed."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  JSON
        """Raises ProbeFailedError where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise ProbeFailedError("an answer is not JSON") from error


class Web:
    """An async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = trust(settings)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # A connection each: the ingress answers with the routes that it knew when one was opened.
        self._session = aiohttp.ClientSession(
            connector=Connector(ssl=self._tls, force_close=True),
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(  # noqa: PLR0913  the parts of a request, by name
        self,
        method: str,
        path: str,
        *,
        wanted: int,
        slug: str | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Answer:
        """The answer of our own pages, or of the workspace of this slug.

        Raises:
            ProbeFailedError: there is none within REQUEST_SECONDS, it is too long, or its status is not `wanted`.
        """
        assert self._session is not None  # noqa: S101  it is open
        host = self._settings.domain if slug is None else f"{slug}.{self._settings.domain}"
        origin = self._settings.origin if slug is None else self._settings.tenant_url(slug)
        try:
            async with self._session.request(
                method,
                f"https://{address_of(self._settings, host)}{path}",
                headers={"Host": origin.removeprefix("https://"), "Origin": origin, **(headers or {})},
                data=form,
                json=json,
                server_hostname=host,
                allow_redirects=False,
            ) as answer:
                body = await answer.content.read(ANSWER_BYTES)
                cookies = {name: one.value for name, one in answer.cookies.items()}
                found = Answer(answer.status, dict(answer.headers), cookies, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ProbeFailedError(f"{method} {path}: {type(error).__name__}") from error
        if found.status != wanted:
            raise ProbeFailedError(f"{method} {path} answered {found.status}")
        return found
