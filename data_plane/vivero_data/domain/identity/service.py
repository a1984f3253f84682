"""Who the workspace is: what the operator told, else what the environment says, else neutral words.

A warm spare starts before anybody has signed up for it, so neither its name
nor its address can be in the pod's template: they come later, into the schema,
where every replica finds them.
"""

import asyncio
import time
from typing import Final

import structlog
from vivero_web.errors import WebError, explained

from vivero_data.db.database import Database
from vivero_data.domain.identity import repository
from vivero_data.domain.identity.schemas import Identity
from vivero_data.settings import Environment

_FRESH_SECONDS: Final = 5.0  # how long another replica may show what was true before
_NEUTRAL_NAME: Final = "Workspace"

log = structlog.get_logger(__name__)


def configured(env: Environment) -> Identity:
    """What to show as long as nobody has told."""
    return Identity(env.tenant_name or _NEUTRAL_NAME, env.public_url or "")


class IdentityService:
    """Keeps what was told for a few seconds, so that pages do not ask each time."""

    def __init__(self, database: Database, fallback: Identity) -> None:
        self._database = database
        self._fallback = fallback
        self._told: Identity | None = None
        self._fresh_until = 0.0
        self._changes = 0
        self._asking = asyncio.Lock()

    async def current(self) -> Identity:
        """What to show. Never fails: a page that can do without the database shows what was known last."""
        if not self._is_fresh():
            async with self._asking:
                if not self._is_fresh():
                    await self._refresh()
        return self._told or self._fallback

    async def told(self) -> Identity | None:
        """What is stored at this moment; None when the operator has told nothing.

        Raises:
            UnavailableError: the database does not answer.
        """
        async with self._database.read() as connection:
            return await repository.select(connection)

    def forget(self) -> None:
        """It has changed: the next page asks."""
        self._changes += 1
        self._fresh_until = 0.0

    def _is_fresh(self) -> bool:
        return time.monotonic() < self._fresh_until

    async def _refresh(self) -> None:
        changes = self._changes
        try:
            self._told = await self.told()
        except WebError as error:
            # What was known stays, and for a while nobody waits for a database that is down.
            log.warning("identity_unknown", problem=explained(error))
        # What was read while it changed may be what was there before: shown once, then asked again.
        if changes == self._changes:
            self._fresh_until = time.monotonic() + _FRESH_SECONDS
