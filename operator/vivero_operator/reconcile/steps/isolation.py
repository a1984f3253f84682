"""Isolation of the tenant: network policy, disruption budget and quota, and no unmanaged object that widens rights or network.

The quota is larger before pods of another size come, and as small as the plan says once the old ones are gone.
"""

import asyncio
from typing import Final

from vivero_core.backends.kube.resources import NETWORK_POLICY, RESOURCE_QUOTA, ROLE_BINDING, Resource
from vivero_core.model.constants import Reason

from vivero_operator.instance import APP, Manifest
from vivero_operator.manifests import namespace
from vivero_operator.policies.expected_objects import is_unmanaged
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.policies.room import Room
from vivero_operator.reconcile.run import Corrected, Run

_SUMMED_UP: Final = (NETWORK_POLICY, ROLE_BINDING)
"""Kinds of which every object in a namespace adds to what is allowed there: one that is not ours opens it."""


async def ensure(run: Run) -> Outcome:
    wanted: list[Manifest] = [namespace.network(run.instance), namespace.disruptions(run.instance)]
    if run.fresh:
        wanted.append(namespace.quota(run.instance, Room.of(run.instance.plan.spec.workload)))
    await run.ensure_all(*wanted)
    if not run.fresh:
        async with asyncio.TaskGroup() as group:
            for kind in _SUMMED_UP:
                group.create_task(_clear(run, kind))
    return done(Reason.PROVISIONED)


async def _clear(run: Run, kind: Resource) -> None:
    listing = await run.kube.list(kind, run.instance.namespace)
    for live in filter(is_unmanaged, listing.items):
        correction = Corrected(f"unmanaged {kind.kind}/{live['metadata']['name']}", security=True, unmanaged=True)
        if not run.is_put_off(correction) and await run.delete(kind, live):
            run.corrected.append(correction)


SETTLE: Final = "settle"
"""Name of the second step."""


async def make_room(run: Run) -> Outcome:
    """Before the Deployment: room for the pods there are beside those that are wanted. A new namespace has no quota yet.

    One that was taken away says nothing of the pods there are: the next one comes when no pod of another size is left.
    """
    live = None if run.fresh else await run.find(RESOURCE_QUOTA, APP, run.instance.namespace)
    if not run.fresh and (live is not None or not run.established):
        wanted = _wanted_room(run)
        room = wanted.beside(Room.read(live["spec"].get("hard", {})) if live is not None else None)
        if room != wanted:
            run.state.forget(run.tenant.metadata.uid, SETTLE)  # it was settled for these wants, a change ago
        await run.make_like(live, namespace.quota(run.instance, room))
    return done(Reason.PROVISIONED)


async def settle_room(run: Run) -> Outcome:
    """After the last pod of another size is gone."""
    if run.established:
        await run.ensure(namespace.quota(run.instance, _wanted_room(run)))
    return done(Reason.PROVISIONED)


def _wanted_room(run: Run) -> Room:
    return Room.of(run.instance.plan.spec.workload, guests(run))


def guests(run: Run) -> int:
    """Pods of a workspace as of a second, which take no room from the live one."""
    return int(run.services.cluster.shown_beside(run.tenant) is not None)
