"""Usage of the plan's limits."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
import msgspec.structs

from vivero_data.db.database import Database
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.dashboards import repository as dashboards
from vivero_data.domain.limits.service import LimitService, counts
from vivero_data.domain.report_mails import repository as report_mails
from vivero_data.domain.reports import repository as reports
from vivero_data.domain.usage import repository
from vivero_data.domain.usage.published import Counted, LimitGroup, published
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.domain.webhooks import repository as webhooks


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


class Signs(msgspec.Struct, frozen=True):
    """What has been done with the workspace, as yes or no: nothing of its contents."""

    imported: bool
    """A file was read into records."""
    has_api_key: bool
    returned: bool
    """Somebody used it a day or more after their account was made."""


class PlatformUsage(Usage, frozen=True):
    """For the control plane."""

    signs: Signs


class UsageService:
    """Counters with their limits; of the whole workspace, for who sees all of it."""

    def __init__(self, database: Database, limits: LimitService, upload_bytes: int) -> None:
        """`upload_bytes` is the largest upload."""
        self._database = database
        self._limits = limits
        self._upload_bytes = upload_bytes

    async def get(self, actor: Actor) -> Usage:
        require_permission(actor, Permission.READ_USAGE)
        return await self.counted()

    async def counted(self) -> Usage:
        """The same, for who has been let in by another rule."""
        async with self._database.read() as connection:
            return self._usage(await counts(connection))

    async def for_platform(self) -> PlatformUsage:
        async with self._database.read() as connection:
            usage = self._usage(await counts(connection))
            signs = Signs(*await repository.signs(connection))
        return PlatformUsage(**msgspec.structs.asdict(usage), signs=signs)

    def _usage(self, used: Mapping[str, int]) -> Usage:
        limits = self._limits.current
        return Usage(
            plan=limits.plan,
            records=Meter(used["records"], limits.records),
            users=Meter(used["users"], limits.users),
            storage_bytes=Meter(used["storage_bytes"], limits.storage_bytes),
        )

    async def published(self, actor: Actor) -> list[LimitGroup]:
        """Every limit, and how much of it is used where that is one figure."""
        require_permission(actor, Permission.READ_USAGE)
        async with self._database.read() as connection:
            counted = await counts(connection)
            used = Counted(
                records=counted["records"],
                users=counted["users"],
                storage_bytes=counted["storage_bytes"],
                collections=await collections.count(connection),
                reports=await reports.count(connection),
                dashboards=await dashboards.count(connection),
                schedules=await report_mails.count(connection),
                webhooks=await webhooks.count(connection),
            )
        return published(self._limits.current, self._upload_bytes, used)
