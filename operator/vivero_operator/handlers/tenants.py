"""Tenants: every change of the desired state is work; an echo of our own status is not."""

import random

from vivero_core.model.base import Metadata
from vivero_core.model.conditions import find
from vivero_core.model.constants import ANNOTATION_RESTART, ConditionType, Reason
from vivero_core.model.naming import tenant_id
from vivero_core.model.tenant import Tenant

from vivero_operator.policies import life
from vivero_operator.policies.life import paused
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import ORPHAN, Key
from vivero_operator.reconcile.queue import Rank

_BLOCKED_BY_OTHERS = frozenset({Reason.SLUG_TAKEN, Reason.HOST_TAKEN, Reason.ALREADY_ADOPTED})
# Someone waits for the claim that a refill follows, and both want the same processor: the claim first. A refill still
# begins within a tenth of a second.
_REFILL_SECONDS = 0.05
_SPARE_SECONDS = 0.15


def _pool_key(tenant: Tenant) -> Key | None:
    return Key("TenantPool", tenant.spec.pool) if tenant.spec.pool else None


def _wake_pool(context: HandlerContext, tenant: Tenant) -> None:
    """A spare that came, became ready, stopped being so, or was claimed: its pool counts again, at once.

    Compared with the last event, not with the mirror, which has our own writes before their events.
    """
    key, uid = _pool_key(tenant), tenant.metadata.uid
    if key is not None and context.standings.get(uid) != _standing(tenant):
        context.standings[uid] = _standing(tenant)
        context.queue.add_later(key, _REFILL_SECONDS)


def _standing(tenant: Tenant) -> object:
    ready = find(tenant.status.conditions, ConditionType.READY)
    return tenant.is_spare, tenant.metadata.deletion_timestamp, ready and ready.status


def _wants(tenant: Tenant) -> object:
    """What makes an event work: the spec (every change of it is a new generation), deletion, annotations for pause and restart."""
    meta = tenant.metadata
    return meta.generation, meta.deletion_timestamp, paused(meta), meta.annotations.get(ANNOTATION_RESTART)


def _wake_blocked(context: HandlerContext) -> None:
    """A slug, a host or data that one Tenant releases may unblock another."""
    for tenant in context.cluster.held_up_by(_BLOCKED_BY_OTHERS):
        context.queue.add(Key("Tenant", tenant.name))


def observe(context: HandlerContext, tenant: Tenant) -> None:
    context.cluster.tenants.put(tenant)
    _wake_pool(context, tenant)
    known = context.wants.get(tenant.metadata.uid)
    if known == _wants(tenant):
        return
    context.wants[tenant.metadata.uid] = _wants(tenant)
    if known is None and life.settled(tenant):
        # After a start there is an event for every Tenant. Settled ones can wait for a resync; the watch of children finds drift.
        context.queue.add_later(Key("Tenant", tenant.name), context.resync_seconds * random.random())  # noqa: S311  no secret
    elif tenant.is_spare:
        # Those that someone waits for go first, and no one waits for a spare.
        context.queue.add_later(Key("Tenant", tenant.name), _SPARE_SECONDS)
    else:
        context.queue.add(Key("Tenant", tenant.name), _rank(tenant, is_new=known is None))
    context.count_again()
    if known is not None:
        _wake_blocked(context)


def _rank(tenant: Tenant, *, is_new: bool) -> Rank:
    if tenant.spec.claimed_at is not None and tenant.status.url is None:
        return Rank.FINISHING  # a claim: but for route and owner it is complete
    return Rank.ROUTINE if is_new and tenant.status.conditions else Rank.AWAITED


def forget(context: HandlerContext, metadata: Metadata) -> None:
    known = context.cluster.tenants.get(metadata.name)
    tenant = known if known is not None and known.metadata.uid == metadata.uid else None
    context.wants.pop(metadata.uid, None)
    context.standings.pop(metadata.uid, None)
    context.cluster.tenants.drop(metadata.name, metadata.uid)
    context.state.drop(metadata.uid)
    context.gone(metadata.uid)
    context.queue.add(Key("Tenant", metadata.name))  # to be forgotten there as well
    _wake_blocked(context)
    context.count_again()
    # What is left of it, if its finalizer was taken away: at least its address must not answer any more.
    context.queue.add(Key(ORPHAN, tenant.id if tenant else tenant_id(metadata.uid)))
    key = _pool_key(tenant) if tenant is not None and tenant.is_spare else None
    if key is not None:
        context.queue.add_later(key, _REFILL_SECONDS)
