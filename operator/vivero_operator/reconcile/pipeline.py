"""The literal ordered lists of steps, and the small loop that runs them: each as soon as those it needs are done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from vivero_core.backends.kube.errors import KubeConflictError, KubeForbiddenError
from vivero_core.errors import BackendError
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.tracing.spans import span

from vivero_operator.instance import digest
from vivero_operator.policies import life
from vivero_operator.policies.outcome import Outcome, Pending, State, waiting
from vivero_operator.policies.tenant_conditions import Finding
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.steps import (
    backends,
    files,
    hosts,
    isolation,
    namespace,
    owner,
    route,
    secrets,
    tenure,
    workload,
)


@dataclass(frozen=True)
class Step:
    """A named idempotent step and what it needs."""

    name: str
    run: Callable[[Run], Awaitable[Outcome]]
    after: tuple[str, ...] = ()
    condition: ConditionType | None = None
    """The condition that its outcome is written to."""
    fault: Reason = Reason.KUBERNETES_ERROR
    """The reason when a system it uses does not do as asked."""
    remembered: bool = False
    """Not repeated within a minute for the same wants."""
    depends: Callable[[Run], object] = lambda run: None  # noqa: ARG005
    """What its work depends on besides the Tenant and its plan; asked once the steps before it are done."""


_AGAIN_SECONDS: Final = 0.2
_RIGHTS_SECONDS: Final = 0.05
_RIGHTS_LAST: Final = timedelta(seconds=5)
"""So long after a tenant's first pass a refusal may still mean that; later it is one."""
_DATABASE = (ConditionType.DATABASE_READY, Reason.DATABASE_UNAVAILABLE)
_STORAGE = (ConditionType.STORAGE_READY, Reason.STORAGE_UNAVAILABLE)
_CACHE = (ConditionType.CACHE_READY, Reason.CACHE_UNAVAILABLE)
_WORKLOAD = (ConditionType.WORKLOAD_READY, Reason.WORKLOAD_UNAVAILABLE)
_ROUTE = (ConditionType.ROUTE_READY, Reason.KUBERNETES_ERROR)
_OWNER = (ConditionType.OWNER_READY, Reason.WORKLOAD_UNAVAILABLE)

# The pod is what takes longest: everything it needs to start comes first, the rest beside it.
_COMPLETE: Final = (
    Step("start-slot", tenure.take_start_slot),
    Step("finalizer", tenure.add_finalizer, ("start-slot",)),
    Step("adoption", tenure.take_over, ("finalizer",)),
    Step("namespace", namespace.ensure, ("adoption",), remembered=True),
    Step("secrets", secrets.ensure, ("namespace",)),
    Step("files", files.ensure, ("namespace",), remembered=True),
    Step("room", isolation.make_room, ("namespace",), remembered=True, depends=isolation.guests),
    Step("workload", workload.ensure, ("secrets", "files", "room"), remembered=True, depends=workload.inputs),
    Step("database", backends.ensure_database, ("secrets",), *_DATABASE, remembered=True, depends=secrets.used),
    Step("storage", backends.ensure_storage, ("secrets",), *_STORAGE, remembered=True, depends=secrets.used),
    Step("cache", backends.ensure_cache, ("secrets",), *_CACHE, remembered=True, depends=secrets.used),
    Step("limits", files.announce_limits, ("secrets",)),
    Step("isolation", isolation.ensure, ("workload",), remembered=True),
)
_SERVING: Final = (
    Step("ready", workload.ready, ("workload",), *_WORKLOAD),
    # Smaller only now, when no pod of another size is left: a change of size must be able to finish.
    Step(isolation.SETTLE, isolation.settle_room, ("ready",), remembered=True, depends=isolation.guests),
)
_WHOLE: Final = (isolation.SETTLE, "database", "storage", "cache", "isolation", "limits")

PROVISION: Final = (
    *_COMPLETE,
    Step("hosts", hosts.examine, ("namespace",)),
    Step("route", route.ensure, ("workload", "hosts"), *_ROUTE, remembered=True, depends=route.routed),
    *_SERVING,
    Step("waiting-page", route.remove_waiting_page, ("ready",)),
    Step("owner", owner.ensure, ("ready",), *_OWNER),
    Step("proof", owner.prove, (*_WHOLE, "route", "waiting-page", "owner"), fault=Reason.PROOF_FAILED),
)

# A spare: complete, but without a route and an owner.
STANDBY: Final = (
    *_COMPLETE,
    Step("service", route.prepare, ("workload",), remembered=True),
    *_SERVING,
    Step("proof", owner.prove, (*_WHOLE, "service"), fault=Reason.PROOF_FAILED),
)

# A proven spare was claimed: its proof stands, and someone waits. A whole pass follows soon.
BIND: Final = (
    Step("secrets", secrets.recall),
    Step("route", route.open_claimed, (), *_ROUTE),
    Step("owner", owner.ensure, ("secrets",), *_OWNER),
)

# Data and credentials stay as they are; only the route and the pods go.
SUSPEND: Final = (
    Step("finalizer", tenure.add_finalizer),
    Step("adoption", tenure.take_over, ("finalizer",)),
    Step("namespace", namespace.ensure, ("adoption",)),
    Step("hosts", hosts.examine, ("namespace",)),
    Step("route", route.ensure, ("hosts",)),
    Step("secrets", secrets.ensure, ("namespace",)),
    Step("files", files.ensure, ("namespace",)),
    Step("workload", workload.ensure, ("secrets", "files")),
    Step("isolation", isolation.ensure, ("workload",)),
)

# Users are deleted first, so that nothing writes any more; data after its user; the finalizer last.
DELETE: Final = (
    Step("rights", namespace.regain, remembered=True),
    Step("retention", tenure.record, ("rights",), remembered=True),
    Step("erasure", tenure.schedule_erasure, ("retention",), remembered=True),
    Step("route", route.remove, ("retention",), *_ROUTE, remembered=True),
    # Hidden by now, and still with its users: the backup logs in as the tenant.
    Step("backup", tenure.back_up, ("erasure", "route"), remembered=True),
    Step("database", backends.remove_database, ("backup",), *_DATABASE, remembered=True),
    Step("storage", backends.remove_storage, ("backup",), *_STORAGE, remembered=True),
    Step("cache", backends.remove_cache, ("backup",), *_CACHE, remembered=True),
    # After the database: where the schema is may stand nowhere but in the namespace's Secret.
    Step("namespace", namespace.remove, ("database",), *_WORKLOAD),
    Step("owner", owner.remove, ("retention",), *_OWNER, remembered=True),
    Step("record", tenure.erase_record, ("namespace", "database", "storage", "cache", "route", "owner")),
)

# A Tenant that wanted data of another and never got it leaves without touching any.
LEAVE: Final = (Step("owner", owner.remove),)

OF_STATE: Final = {
    life.State.STANDBY: STANDBY,
    life.State.CLAIMED: BIND,
    life.State.ACTIVE: PROVISION,
    life.State.SUSPENDED: SUSPEND,
    life.State.DELETING: DELETE,
    life.State.LEAVING: LEAVE,
}
"""What a pass does for a tenant that comes to this state (policies/life.py); none comes back to NEW."""


async def execute(steps: Sequence[Step], run: Run, state: ReconcileState) -> list[Finding]:
    """Every step's finding, in the list's order. An error that is no system's fault is a bug and is raised."""
    tasks: dict[str, asyncio.Task[Outcome]] = {}
    epoch = state.epoch
    async with asyncio.TaskGroup() as group:
        for step in steps:
            needed = [tasks[name] for name in step.after]
            tasks[step.name] = group.create_task(_one(step, needed, run, state, epoch), name=step.name)
    return [Finding(step.condition, tasks[step.name].result()) for step in steps]


async def _one(step: Step, needed: list[asyncio.Task[Outcome]], run: Run, state: ReconcileState, epoch: int) -> Outcome:
    for task in needed:
        before = await task
        if not before.done:
            return Outcome(State.SKIPPED, before.reason, before.message)
    if not step.remembered:
        return await _attempt(step, run)
    uid, fingerprint = run.tenant.metadata.uid, digest([run.instance.fingerprint, step.depends(run)])
    known = state.recall(uid, step.name, fingerprint)
    outcome = known or await _attempt(step, run)
    if outcome.done and known is None:
        state.keep(uid, step.name, fingerprint, outcome, epoch)
    return outcome


async def _attempt(step: Step, run: Run) -> Outcome:
    try:
        with span(step.name):
            return await step.run(run)
    except Pending as pending:
        return waiting(pending)
    except BackendError as error:
        return _fault(step, run, error)
    except BaseExceptionGroup as group:  # from a step's own TaskGroup
        faults, bugs = group.split(BackendError)
        if faults is None or bugs is not None:
            raise
        return _fault(step, run, _leaf(faults))


def _fault(step: Step, run: Run, error: BaseException) -> Outcome:
    if isinstance(error, KubeConflictError):
        # Another writer came between our look and our write: no fault, and the next look sees it.
        return waiting(
            Pending(Reason.PROVISIONING, "Write conflict with another writer, retrying", retry_after=_AGAIN_SECONDS)
        )
    if isinstance(error, KubeForbiddenError) and (run.fresh or run.begun < _RIGHTS_LAST):
        # The API server takes some milliseconds to honour rights that were given a moment ago.
        return waiting(
            Pending(Reason.PROVISIONING, "Waiting for the RBAC rights in the namespace", retry_after=_RIGHTS_SECONDS)
        )
    return Outcome(State.FAILED, step.fault, str(error))


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
