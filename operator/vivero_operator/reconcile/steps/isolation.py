"""Isolation of the tenant: network policy, pod disruption budget, and no unmanaged object that widens rights or network."""

import asyncio
from typing import Final

from vivero_core.backends.kube.resources import NETWORK_POLICY, ROLE_BINDING, Resource
from vivero_core.model.constants import Reason

from vivero_operator.manifests import namespace
from vivero_operator.manifests.common import Manifest
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.policies.room import Room
from vivero_operator.policies.unmanaged import is_unmanaged
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
