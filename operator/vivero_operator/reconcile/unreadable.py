"""An object that cannot be parsed gets a condition that says so; it is not reconciled, and affects no other."""

from typing import Any

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.reading import Unreadable

from vivero_operator import metrics
from vivero_operator.manifests.event import ObjectEvent, Subject
from vivero_operator.reconcile import in_use
from vivero_operator.reconcile.controller import Reconcile, Result
from vivero_operator.reconcile.kind import KindSpec
from vivero_operator.reconcile.run import Services


def skipping_unreadable(services: Services, spec: KindSpec[Any], reconcile: Reconcile) -> Reconcile:
    """`reconcile`, for objects that can be read. A Tenant can be deleted either way."""
    kind = spec.kind

    async def run(name: str) -> Result:
        unreadable = services.cluster.unreadable.get((kind, name))
        metrics.UNREADABLE.labels(kind).set(sum(one == kind for one, _ in services.cluster.unreadable))
        if unreadable is None or (spec.deleted_unread and unreadable.deletion_timestamp is not None):
            return await reconcile(name)
        if spec.users is not None and unreadable.deletion_timestamp is not None:
            # Our finalizer on what can be used must not keep an object that is to go forever.
            await in_use.settle(services, spec.resource, unreadable.metadata, spec.users(services.cluster, name))
        await _report(services, spec, unreadable)
        return Result()

    return run


async def _report(services: Services, spec: KindSpec[Any], unreadable: Unreadable) -> None:
    """One condition in place of all: the others may be what cannot be read."""
    message = f"This version of the operator cannot parse it: {unreadable.why}"
    known, generation = _ready(unreadable.body.get("status")), unreadable.metadata.generation
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
    if spec.summarised:
        patch["message"] = message
    try:
        await services.kube.patch_status(spec.resource, unreadable.name, patch, uid=unreadable.metadata.uid)
    except KubeNotFoundError:
        return
    subject = Subject.of(spec.kind, unreadable.metadata)
    await services.recorder.record(ObjectEvent(subject, "Warning", Reason.UNREADABLE, message, "Read"))


def _ready(status: object) -> dict[str, Any]:
    """Its condition Ready as it is stored, if it is one: the status may be anything."""
    conditions = status.get("conditions") if isinstance(status, dict) else None
    found = conditions if isinstance(conditions, list) else []
    return next((one for one in found if isinstance(one, dict) and one.get("type") == ConditionType.READY), {})
