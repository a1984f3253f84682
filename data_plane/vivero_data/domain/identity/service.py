"""The workspace's identity: as the operator stored it, else from the environment, else a default.

A warm spare starts before it is claimed, so neither its name nor its address can
be in the pod template: the operator stores them later in the schema, where every
replica reads them.
"""

import asyncio
import re
import time
from datetime import datetime
from typing import Final

import msgspec
import structlog
from vivero_web.errors import WebError, explained

from vivero_data.db.database import Connection, Database
from vivero_data.lib.hit_rates import looked_up
from vivero_data.settings import Environment

_PORT: Final = re.compile(r":[0-9]*\Z")


_CACHE_SECONDS: Final = 5.0  # how long another replica may show the previous identity
_DEFAULT_NAME: Final = "Workspace"

log = structlog.get_logger(__name__)


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Its name, and the address that browsers use; the address is empty while it is unknown.

    Attributes:
        as_of: the second that a read-only workspace shows.
    """

    name: str
    public_url: str
    as_of: datetime | None = None

    def host(self, request_host: str) -> str:
        """The public host without its port; else `request_host`, the request's Host header."""
        return _PORT.sub("", self.public_url.partition("://")[2] or request_host)


async def select(connection: Connection) -> Identity | None:
    """What the operator stored; None if nothing yet."""
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
    """The identity from the environment, used until the operator stores one."""
    return Identity(env.tenant_name or _DEFAULT_NAME, env.public_url or "", env.as_of)


class IdentityService:
    """Caches the stored identity for a few seconds, so that pages do not query it each time."""

    def __init__(self, database: Database, fallback: Identity) -> None:
        self._database = database
        self._fallback = fallback
        self._cached: Identity | None = None
        self._fresh_until = 0.0
        self._changes = 0
        self._refreshing = asyncio.Lock()

    async def current(self) -> Identity:
        """What to show. Never fails: without the database it is the last known identity."""
        fresh = self._is_fresh()
        looked_up("identity", found=fresh)
        if not fresh:
            async with self._refreshing:
                if not self._is_fresh():
                    await self._refresh()
        if self._cached is not None and self._fallback.as_of is not None:
            # What is stored is the address of the workspace that this one is a view of.
            return msgspec.structs.replace(self._fallback, name=self._cached.name)
        return self._cached or self._fallback

    async def stored(self) -> Identity | None:
        """What is stored now; None if the operator stored nothing yet.

        Raises:
            UnavailableError: the database does not answer.
        """
        async with self._database.read() as connection:
            return await select(connection)

    def invalidate(self) -> None:
        """Expire the cache after a change."""
        self._changes += 1
        self._fresh_until = 0.0

    def _is_fresh(self) -> bool:
        return time.monotonic() < self._fresh_until

    async def _refresh(self) -> None:
        changes = self._changes
        try:
            self._cached = await self.stored()
        except WebError as error:
            # The cached identity stays, so that pages do not wait for a database that is down.
            log.warning("identity_unknown", problem=explained(error))
        # A concurrent change may have been missed: then the value is used once and read again.
        if changes == self._changes:
            self._fresh_until = time.monotonic() + _CACHE_SECONDS
