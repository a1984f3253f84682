"""The namespace's quota: larger before pods of another size come, as small as the plan says once the old ones are gone."""

from typing import Final

from vivero_core.backends.kube.resources import RESOURCE_QUOTA
from vivero_core.model.constants import Reason

from vivero_operator.instance import APP
from vivero_operator.manifests import namespace
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.policies.room import Room
from vivero_operator.reconcile.run import Run

SETTLE: Final = "settle"
"""Name of the second step."""


async def make(run: Run) -> Outcome:
    """Before the Deployment: room for the pods there are beside those that are wanted. A new namespace has no quota yet.

    One that was taken away says nothing of the pods there are: the next one comes when no pod of another size is left.
    """
    live = None if run.fresh else await run.find(RESOURCE_QUOTA, APP, run.instance.namespace)
    if not run.fresh and (live is not None or not run.established):
        wanted = _wanted(run)
        room = wanted.beside(Room.read(live["spec"].get("hard", {})) if live is not None else None)
        if room != wanted:
            run.state.forget(run.tenant.metadata.uid, SETTLE)  # it was settled for these wants, a change ago
        await run.make_like(live, namespace.quota(run.instance, room))
    return done(Reason.PROVISIONED)


async def settle(run: Run) -> Outcome:
    """After the last pod of another size is gone."""
    if run.established:
        await run.ensure(namespace.quota(run.instance, _wanted(run)))
    return done(Reason.PROVISIONED)


def _wanted(run: Run) -> Room:
    return Room.of(run.instance.plan.spec.workload)
