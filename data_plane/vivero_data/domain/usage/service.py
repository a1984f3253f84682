"""How much of the plan is used."""

from vivero_data.db.database import Database
from vivero_data.domain.limits import repository
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.usage.schemas import Meter, Usage
from vivero_data.domain.users.guards import demand
from vivero_data.domain.users.schemas import Actor, Permission


class UsageService:
    """Counters beside limits; everybody may know."""

    def __init__(self, database: Database, limits: LimitService) -> None:
        self._database = database
        self._limits = limits

    async def get(self, actor: Actor) -> Usage:
        demand(actor, Permission.READ)
        async with self._database.read() as connection:
            used = await repository.values(connection)
        limits = self._limits.current
        return Usage(
            plan=limits.plan,
            records=Meter(used["records"], limits.records),
            users=Meter(used["users"], limits.users),
            storage_bytes=Meter(used["storage_bytes"], limits.storage_bytes),
        )
