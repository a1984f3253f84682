"""Plans: a change is work for all tenants of the plan."""

from typing import Final

from vivero_core.model.base import Metadata
from vivero_core.model.plan import Plan

from vivero_operator.handlers import Desk
from vivero_operator.handlers.hearing import Watched
from vivero_operator.policies import life
from vivero_operator.reconcile.controller import Key


def observe(desk: Desk, plan: Plan) -> None:
    desk.cluster.plans.put(plan)
    wants = plan.metadata.generation, plan.metadata.deletion_timestamp
    known = desk.wants.get(plan.metadata.uid)
    if known != wants:
        desk.wants[plan.metadata.uid] = wants
        desk.queue.add(Key("Plan", plan.name))
        # After a start all Plans come by: those that are well have heard of this one as it is, or hear of it in time.
        wake(desk, plan.name, all_of_them=known is not None)


def wake(desk: Desk, plan: str, *, all_of_them: bool) -> None:
    for tenant in desk.cluster.tenants:
        if tenant.spec.plan == plan and (all_of_them or not life.settled(tenant)):
            desk.queue.add(Key("Tenant", tenant.name))


def forget(desk: Desk, metadata: Metadata) -> None:
    """Tenants that have it are looked after with the last known plan; new ones do not get it."""
    desk.wants.pop(metadata.uid, None)
    desk.cluster.drop_plan(metadata.name, metadata.uid)
    desk.queue.add(Key("Plan", metadata.name))
    wake(desk, metadata.name, all_of_them=True)


WATCHED: Final = Watched("Plan", Plan, Plan.plural, lambda desk: desk.cluster.plans, observe, forget)
