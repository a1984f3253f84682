"""Plans: a change is work for all tenants of the plan."""

from typing import Any

import kopf
from vivero_core.model.constants import GROUP, VERSION
from vivero_core.model.plan import Plan

from vivero_operator.handlers import Desk
from vivero_operator.reconcile.controller import Key


def observe(desk: Desk, plan: Plan) -> None:
    desk.cluster.plans.put(plan)
    wants = plan.metadata.generation
    if desk.wants.get(plan.metadata.uid) != wants:
        desk.wants[plan.metadata.uid] = wants
        wake(desk, plan.name)


def wake(desk: Desk, plan: str) -> None:
    for tenant in desk.cluster.tenants:
        if tenant.spec.plan == plan:
            desk.queue.add(Key("Tenant", tenant.name))


def forget(desk: Desk, plan: Plan) -> None:
    desk.wants.pop(plan.metadata.uid, None)
    desk.cluster.plans.drop(plan.name, plan.metadata.uid)
    wake(desk, plan.name)


def register(registry: kopf.OperatorRegistry, desk: Desk) -> None:
    @kopf.index(GROUP, VERSION, Plan.plural, id="plans-listed", registry=registry)
    def listed(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        desk.cluster.plans.put(Plan.parse(dict(body)))

    @kopf.on.event(GROUP, VERSION, Plan.plural, id="plans", registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        plan = Plan.parse(event["object"])
        (forget if event["type"] == "DELETED" else observe)(desk, plan)
