"""Asks for a workspace through the ingress, as a browser would that comes for the first time."""

import logging
import ssl
from typing import Final, Self

import aiohttp

from vivero_control.settings import Settings

logger = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 1.0
AT_ONCE: Final = 20  # connections; whoever signs up beyond them waits for their turn
NO_CONTENT: Final = 204


class Ingress:
    """Asks one question, at hosts under our own domain alone; use it as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = trust(settings)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # A connection stays with the routes that were known when it was opened: each question has its own.
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=AT_ONCE, force_close=True)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def reaches(self, slug: str, tenant_id: str) -> bool:
        """Whether the workspace of this id answers at the address of this slug; no answer is no."""
        if self._session is None:
            return False
        host = f"{slug}.{self._settings.domain}"
        url = f"https://{place(self._settings, host)}/healthz/{tenant_id}"
        said = {"Host": self._settings.tenant_url(slug).removeprefix("https://")}
        try:
            async with self._session.get(url, headers=said, server_hostname=host, allow_redirects=False) as answer:
                return answer.status == NO_CONTENT
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.debug("workspace not reachable: %s", type(error).__name__, extra={"host": host})
            return False


def place(settings: Settings, host: str) -> str:
    """Where to connect for `host`. The final dot keeps a pod's resolver from trying the cluster's own domains first."""
    ingress = settings.ingress
    if ingress.address is not None:
        return f"{ingress.address}:{ingress.port}"
    return f"{host}.:{settings.public_url.port}"


def trust(settings: Settings) -> ssl.SSLContext:
    """The ingress shows a certificate of a public authority or of our own: both are trusted for our names."""
    context = ssl.create_default_context()
    if settings.platform.ca is not None:
        context.load_verify_locations(settings.platform.ca)
    return context
