"""Who the workspace is: what the operator told, else what the environment says, else neutral words.

A warm spare starts before anybody has signed up for it, so neither its name
nor its address can be in the pod's template: they come later, into the schema,
where every replica finds them.
"""

import asyncio
import re
import time
from typing import Final

import msgspec
import structlog
from vivero_web.errors import WebError, explained

from vivero_data.db.database import Connection, Database
from vivero_data.settings import Environment

_PORT: Final = re.compile(r":[0-9]*\Z")


_CACHE_SECONDS: Final = 5.0  # how long another replica may show what was true before
_DEFAULT_NAME: Final = "Workspace"

log = structlog.get_logger(__name__)


class Identity(msgspec.Struct, frozen=True):
    """Its name, and the address that browsers use; the address is empty where nobody has said it."""

    name: str
    public_url: str

    def host(self, request_host: str) -> str:
        """The host without its port; of `request_host`, the request's, where nobody has said the address."""
        return _PORT.sub("", self.public_url.partition("://")[2] or request_host)


async def select(connection: Connection) -> Identity | None:
    """What the operator has told; None when it has told nothing."""
    row = await connection.fetch_one("SELECT name, public_url FROM workspace")
    return Identity(str(row[0]), str(row[1])) if row else None


async def save(tx: Connection, identity: Identity) -> None:
    await tx.execute(
        "INSERT INTO workspace (name, public_url) VALUES (%s, %s)"
        " ON DUPLICATE KEY UPDATE name = VALUES(name), public_url = VALUES(public_url)",
        identity.name,
        identity.public_url,
    )


def configured(env: Environment) -> Identity:
    """What to show as long as nobody has told."""
    return Identity(env.tenant_name or _DEFAULT_NAME, env.public_url or "")


class IdentityService:
    """Keeps what was told for a few seconds, so that pages do not ask each time."""

    def __init__(self, database: Database, fallback: Identity) -> None:
        self._database = database
        self._fallback = fallback
        self._cached: Identity | None = None
        self._fresh_until = 0.0
        self._changes = 0
        self._refreshing = asyncio.Lock()

    async def current(self) -> Identity:
        """What to show. Never fails: a page that can do without the database shows what was known last."""
        if not self._is_fresh():
            async with self._refreshing:
                if not self._is_fresh():
                    await self._refresh()
        return self._cached or self._fallback

    async def stored(self) -> Identity | None:
        """What is stored at this moment; None when the operator has told nothing.

        Raises:
            UnavailableError: the database does not answer.
        """
        async with self._database.read() as connection:
            return await select(connection)

    def invalidate(self) -> None:
        """It has changed: the next page asks."""
        self._changes += 1
        self._fresh_until = 0.0

    def _is_fresh(self) -> bool:
        return time.monotonic() < self._fresh_until

    async def _refresh(self) -> None:
        changes = self._changes
        try:
            self._cached = await self.stored()
        except WebError as error:
            # What was known stays, and for a while nobody waits for a database that is down.
            log.warning("identity_unknown", problem=explained(error))
        # What was read while it changed may be what was there before: shown once, then asked again.
        if changes == self._changes:
            self._fresh_until = time.monotonic() + _CACHE_SECONDS
