"""reconcile(name) of a Plan: counts its users, blocks its deletion while it is in use, and stores its last spec."""

import asyncio
import json
from typing import Any, Final

from pydantic import ValidationError
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import CONFIG_MAP, PLAN
from vivero_core.model import conditions as cond
from vivero_core.model import constants as c
from vivero_core.model.base import Metadata
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.plan import Plan, PlanStatus

from vivero_operator.policies import life
from vivero_operator.reconcile import in_use
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key, Result
from vivero_operator.reconcile.kind import News, Reconciler, drop, take
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import write_status

SNAPSHOTS: Final = "vivero-known-plans"
"""ConfigMap in the platform's namespace: every plan's last spec. A Plan that is removed by force must not stop the
repair of its tenants, also not after a restart of the operator."""


def observe(context: HandlerContext, plan: Plan) -> None:
    """A change requeues all tenants of the plan."""
    news = take(context, plan)
    if news is not News.ECHO:
        # After a start there is an event for every Plan: settled tenants have it already, or get it at their resync.
        wake(context, plan.name, all_of_them=news is News.CHANGED)


def wake(context: HandlerContext, plan: str, *, all_of_them: bool) -> None:
    for tenant in context.cluster.tenants:
        if tenant.spec.plan == plan and (all_of_them or not life.settled(tenant)):
            context.queue.add(Key("Tenant", tenant.name))


def forget(context: HandlerContext, metadata: Metadata) -> None:
    """Tenants that have it are reconciled with the last known plan; new ones do not get it."""
    context.cluster.drop_plan(metadata.name, metadata.uid)
    drop(context, Plan, metadata)
    wake(context, metadata.name, all_of_them=True)


class PlanReconciler(Reconciler):
    """Plans change seldom."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._snapshots: dict[str, str] = {}
        self._writing = asyncio.Lock()
        """All plans are in one object: two that are written at once would undo each other."""

    async def reconcile(self, name: str) -> Result:
        cluster = self._services.cluster
        plan, users = cluster.plans.get(name), cluster.users_of_plan(name)
        if plan is None:
            if not users:
                await self._store(name, None)
            return Result(gone=True)
        await in_use.settle(self._services, PLAN, plan.metadata, users)
        await self._store(name, json.dumps(plan.spec.dump(), sort_keys=True))
        await write_status(self._services, PLAN, plan, self._status(plan, users), cluster.plans)
        return Result()

    def _status(self, plan: Plan, users: list[str]) -> PlanStatus:
        going = plan.metadata.deletion_timestamp is not None
        ready = Condition(
            type=ConditionType.READY,
            status=Status.of(not going),
            reason=Reason.DELETING if going else (Reason.IN_USE if users else Reason.UNUSED),
            message=_message(users, going=going),
            last_transition_time=self._services.now(),
            observed_generation=plan.metadata.generation,
        )
        return PlanStatus(
            tenants=len(users),
            observed_generation=plan.metadata.generation,
            conditions=cond.merge(plan.status.conditions, [ready]),
        )

    async def recall(self) -> None:
        """Plans that were gone before this program began; before the first Tenant is looked at."""
        self._snapshots = await self._stored()
        for name, text in self._snapshots.items():
            try:
                self._services.cluster.last_plans.setdefault(
                    name, Plan.parse({"metadata": {"name": name}, "spec": json.loads(text)})
                )
            except (ValidationError, ValueError):
                continue  # changed by a person, or of another version: ignored

    async def _stored(self) -> dict[str, str]:
        namespace = self._services.settings.platform_namespace
        try:
            body = await self._services.kube.get(CONFIG_MAP, SNAPSHOTS, namespace)
        except KubeNotFoundError:
            return {}
        return dict(body.get("data") or {})

    async def _store(self, name: str, text: str | None) -> None:
        """Looked at each time: a person may have taken away what a restart will need."""
        async with self._writing:
            known = {key: value for key, value in self._snapshots.items() if key != name}
            known |= {name: text} if text is not None else {}
            stored = await self._stored()
            if stored.get(name) != text or not known.items() <= stored.items():
                await self._services.kube.apply(_snapshots(self._services.settings.platform_namespace, known))
            self._snapshots = known


def _message(users: list[str], *, going: bool) -> str:
    if going:
        return f"Deletion waits until it is not in use. {in_use.held_by(users)}"
    return "In use" if users else "Not in use"


def _snapshots(namespace: str, data: dict[str, str]) -> dict[str, Any]:
    labels = {c.LABEL_PART_OF: "vivero", c.LABEL_MANAGED_BY: c.FIELD_MANAGER}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": SNAPSHOTS, "namespace": namespace, "labels": labels},
        "data": data,
    }
