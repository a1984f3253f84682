"""Usage of the plan's limits."""

from typing import Annotated

import msgspec

from vivero_data.db.database import Database
from vivero_data.domain.limits.service import LimitService, counts
from vivero_data.domain.users.schemas import Actor, Permission, require_permission


class Meter(msgspec.Struct, frozen=True):
    """How much of a limit is used."""

    used: Annotated[int, msgspec.Meta(description="What there is.")]
    limit: Annotated[int | None, msgspec.Meta(description="What the plan allows; null is unlimited.")]


class Usage(msgspec.Struct, frozen=True):
    """What counts against the plan."""

    plan: Annotated[str, msgspec.Meta(description="The plan's name.")]
    records: Annotated[Meter, msgspec.Meta(description="Of all collections together.")]
    users: Annotated[Meter, msgspec.Meta(description="Active ones.")]
    storage_bytes: Annotated[Meter, msgspec.Meta(description="Of the contents of files.")]


class UsageService:
    """Counters with their limits; every user may read them."""

    def __init__(self, database: Database, limits: LimitService) -> None:
        self._database = database
        self._limits = limits

    async def get(self, actor: Actor) -> Usage:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            used = await counts(connection)
        limits = self._limits.current
        return Usage(
            plan=limits.plan,
            records=Meter(used["records"], limits.records),
            users=Meter(used["users"], limits.users),
            storage_bytes=Meter(used["storage_bytes"], limits.storage_bytes),
        )
