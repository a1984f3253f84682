"""Plans: a change is work for all tenants of the plan."""

from typing import Any

import kopf
from vivero_core.model.constants import GROUP, VERSION
from vivero_core.model.plan import Plan

from vivero_operator.handlers import Desk
from vivero_operator.policies import life
from vivero_operator.reconcile.controller import Key


def observe(desk: Desk, plan: Plan) -> None:
    desk.cluster.plans.put(plan)
    wants = plan.metadata.generation
    known = desk.wants.get(plan.metadata.uid)
    if known != wants:
        desk.wants[plan.metadata.uid] = wants
        # After a start all Plans come by: those that are well have heard of this one as it is, or hear of it in time.
        wake(desk, plan.name, all_of_them=known is not None)


def wake(desk: Desk, plan: str, *, all_of_them: bool) -> None:
    for tenant in desk.cluster.tenants:
        if tenant.spec.plan == plan and (all_of_them or not life.settled(tenant)):
            desk.queue.add(Key("Tenant", tenant.name))


def forget(desk: Desk, plan: Plan) -> None:
    desk.wants.pop(plan.metadata.uid, None)
    desk.cluster.plans.drop(plan.name, plan.metadata.uid)
    wake(desk, plan.name, all_of_them=True)


def register(registry: kopf.OperatorRegistry, desk: Desk) -> None:
    @kopf.index(GROUP, VERSION, Plan.plural, id="plans-listed", registry=registry)
    def listed(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        desk.cluster.plans.put(Plan.parse(dict(body)))

    @kopf.on.event(GROUP, VERSION, Plan.plural, id="plans", registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        plan = Plan.parse(event["object"])
        (forget if event["type"] == "DELETED" else observe)(desk, plan)
