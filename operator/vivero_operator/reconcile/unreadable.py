"""An object that cannot be parsed gets a condition that says so; it is not reconciled, and affects no other."""

from typing import Any

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DATABASE_SERVER, PLAN, RELEASE, TENANT, TENANT_POOL, Resource
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.reading import Unreadable

from vivero_operator import metrics
from vivero_operator.manifests.event import ObjectEvent, Subject
from vivero_operator.reconcile import in_use
from vivero_operator.reconcile.controller import Kind, Reconcile
from vivero_operator.reconcile.result import Result
from vivero_operator.reconcile.run import Services

_ADDRESSES: dict[Kind, Resource] = {
    "Tenant": TENANT,
    "Plan": PLAN,
    "DatabaseServer": DATABASE_SERVER,
    "TenantPool": TENANT_POOL,
    "Release": RELEASE,
}


def skipping_unreadable(services: Services, kind: Kind, reconcile: Reconcile) -> Reconcile:
    """`reconcile`, for objects that can be read. A Tenant can be deleted either way."""

    async def run(name: str) -> Result:
        odd = services.cluster.unreadable.get((kind, name))
        metrics.UNREADABLE.labels(kind).set(sum(one == kind for one, _ in services.cluster.unreadable))
        if odd is None or (kind == "Tenant" and odd.deletion_timestamp is not None):
            return await reconcile(name)
        await _let_go(services, kind, odd)
        await _report(services, kind, odd)
        return Result()

    return run


async def _let_go(services: Services, kind: Kind, odd: Unreadable) -> None:
    """Our finalizer on what can be used must not keep an object that is to go forever."""
    if odd.deletion_timestamp is None or kind not in ("Plan", "DatabaseServer"):
        return
    cluster = services.cluster
    users = cluster.users_of_plan(odd.name) if kind == "Plan" else cluster.users_of_server(odd.name)
    await in_use.settle(services, _ADDRESSES[kind], odd.metadata, users)


async def _report(services: Services, kind: Kind, odd: Unreadable) -> None:
    """One condition in place of all: the others may be what cannot be read."""
    message = f"This version of the operator cannot parse it: {odd.why}"
    known, generation = _ready(odd.body.get("status")), odd.metadata.generation
    if (known.get("reason"), known.get("message"), known.get("observedGeneration")) == (
        Reason.UNREADABLE,
        message,
        generation,
    ):
        return
    condition = Condition(
        type=ConditionType.READY,
        status=Status.FALSE,
        reason=Reason.UNREADABLE,
        message=message,
        last_transition_time=services.now(),
        observed_generation=generation,
    )
    patch: dict[str, Any] = {"conditions": [condition.dump()], "observedGeneration": generation}
    if kind in ("Tenant", "Release"):
        patch["message"] = message
    try:
        await services.kube.patch_status(_ADDRESSES[kind], odd.name, patch, uid=odd.metadata.uid)
    except KubeNotFoundError:
        return
    subject = Subject.of(kind, odd.metadata)
    await services.recorder.record(ObjectEvent(subject, "Warning", Reason.UNREADABLE, message, "Read"))


def _ready(status: object) -> dict[str, Any]:
    """Its condition Ready as it is stored, if it is one: the status may be anything."""
    conditions = status.get("conditions") if isinstance(status, dict) else None
    found = conditions if isinstance(conditions, list) else []
    return next((one for one in found if isinstance(one, dict) and one.get("type") == ConditionType.READY), {})
