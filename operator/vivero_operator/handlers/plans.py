"""Plans: a change requeues all tenants of the plan."""

from typing import Final

from vivero_core.model.base import Metadata
from vivero_core.model.plan import Plan

from vivero_operator.handlers import HandlerContext
from vivero_operator.handlers.dispatch import Watched
from vivero_operator.policies import life
from vivero_operator.reconcile.controller import Key


def observe(context: HandlerContext, plan: Plan) -> None:
    context.cluster.plans.put(plan)
    wants = plan.metadata.generation, plan.metadata.deletion_timestamp
    known = context.wants.get(plan.metadata.uid)
    if known != wants:
        context.wants[plan.metadata.uid] = wants
        context.queue.add(Key("Plan", plan.name))
        # After a start there is an event for every Plan: settled tenants have it already, or get it at their resync.
        wake(context, plan.name, all_of_them=known is not None)


def wake(context: HandlerContext, plan: str, *, all_of_them: bool) -> None:
    for tenant in context.cluster.tenants:
        if tenant.spec.plan == plan and (all_of_them or not life.settled(tenant)):
            context.queue.add(Key("Tenant", tenant.name))


def forget(context: HandlerContext, metadata: Metadata) -> None:
    """Tenants that have it are reconciled with the last known plan; new ones do not get it."""
    context.wants.pop(metadata.uid, None)
    context.cluster.drop_plan(metadata.name, metadata.uid)
    context.queue.add(Key("Plan", metadata.name))
    wake(context, metadata.name, all_of_them=True)


WATCHED: Final = Watched("Plan", Plan, Plan.plural, lambda context: context.cluster.plans, observe, forget)
