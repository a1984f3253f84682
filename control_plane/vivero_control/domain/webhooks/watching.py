"""Follows all Tenants and tells what happened to each since it was last seen, also before this program began.

What was seen is kept with a Tenant's version, in the transaction that writes the events: of several processes the first
one tells, and one that is behind tells nothing.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct, structs, to_builtins
from vivero_core.backends.kube.client import KubeClient, Listing, Object
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.reading import Unreadable, read
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.db.database import Database
from vivero_control.domain.webhooks import policies
from vivero_control.domain.webhooks.events import WatchedTenantRepository, append, last_state
from vivero_control.domain.webhooks.policies import State
from vivero_control.lib.background import apart


class Sighting(Struct, frozen=True):
    """A Tenant at one version; without a state it is a spare, or cannot be read."""

    uid: str
    name: str
    version: int
    state: State | None


def sighting(body: Object) -> Sighting:
    found = read(Tenant, body)
    meta = found.metadata
    state = None if isinstance(found, Unreadable) else policies.state_of(found)
    return Sighting(meta.uid, meta.name, int(meta.resource_version), state)


class TenantEventWatcher:
    """Writes events; `wake_worker` has them sent at once."""

    def __init__(self, kube: KubeClient, database: Database, wake_worker: Callable[[], None], clock: Clock) -> None:
        self._kube = kube
        self._database = database
        self._wake_worker = wake_worker
        self._clock = clock
        self._known: dict[str, State] = {}

    async def run(self) -> None:
        """Until cancelled; what happened before the watch is told by the first list."""
        async for news in follow(self._kube, TENANT, lambda body: body):
            if isinstance(news, Listing):
                await self.see_all([sighting(body) for body in news.items], int(news.resource_version))
            else:
                seen = sighting(news.object)
                await self.see(self._gone(seen) if news.type == "DELETED" else seen)

    async def see_all(self, seen: list[Sighting], version: int) -> None:
        """Every Tenant that there is at a version of the cluster: who is not among them is gone."""
        async with self._database.transaction() as session:
            rows = await WatchedTenantRepository(session).present()
            known = {row.uid: Sighting(row.uid, row.name, version, last_state(row)) for row in rows}
        self._known = {uid: one.state for uid, one in known.items() if one.state}
        for one in seen:
            await self.see(one)
        for uid in known.keys() - {one.uid for one in seen}:
            await self.see(self._gone(known[uid]))

    async def see(self, seen: Sighting) -> None:
        """Tell what is new about one; one of which that fails is looked at again when it changes, and stops no other."""
        if seen.state is None or _is_known(self._known.get(seen.uid), seen.state):
            return
        with apart("tenant events", seen.name):
            if await self._note(seen, seen.state, self._clock()):
                self._wake_worker()

    async def _note(self, seen: Sighting, state: State, now: datetime) -> bool:
        """Whether anything happened; nothing where another process has seen this version or a newer one."""
        async with self._database.transaction() as session:
            row = await WatchedTenantRepository(session).locked(seen.uid, seen.name)
            before = last_state(row)
            if before is not None and seen.version <= row.version:
                self._known[seen.uid] = before
                return False
            after = policies.remembered(before, state)
            row.version, row.state = seen.version, to_builtins(after)
            row.gone_at = row.gone_at or (now if after.deleted else None)
            found = policies.happenings(before, after)
            for one in found:
                await append(session, row, one, now)
        self._known[seen.uid] = after
        return bool(found)

    def _gone(self, seen: Sighting) -> Sighting:
        """As it was last seen, where it cannot be read any more."""
        state = seen.state or self._known.get(seen.uid)
        return structs.replace(seen, state=state and structs.replace(state, deleted=True))


def _is_known(known: State | None, now: State) -> bool:
    return known is not None and policies.remembered(known, now) == known
