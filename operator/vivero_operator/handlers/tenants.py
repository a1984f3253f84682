"""Tenants: every change of what one wants is work; an echo of our own status is not."""

import random
from typing import Any

import kopf
from vivero_core.model.conditions import find
from vivero_core.model.constants import GROUP, VERSION, ConditionType, Reason
from vivero_core.model.tenant import Tenant

from vivero_operator.handlers import Desk
from vivero_operator.policies import life
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import Rank

_BLOCKED_BY_OTHERS = frozenset({Reason.SLUG_TAKEN, Reason.HOST_TAKEN, Reason.ALREADY_ADOPTED})
# A column for people; placement counts for itself. One write for all that come and go meanwhile.
_REFRESH_SERVER_SECONDS = 30.0
# Somebody waits for the claim that a refill follows, and both want the same processor: the claim first. A refill still
# begins within a tenth of a second.
_REFILL_SECONDS = 0.05
_SPARE_SECONDS = 0.15


def _pool_key(tenant: Tenant) -> Key | None:
    return Key("TenantPool", tenant.spec.pool) if tenant.spec.pool else None


def _wake_pool(desk: Desk, tenant: Tenant) -> None:
    """A spare that came, became ready, stopped being so, or was claimed: its pool counts again, at once.

    Compared with what was last heard, not with the mirror, which knows of our own writes before they are heard of.
    """
    key, uid = _pool_key(tenant), tenant.metadata.uid
    if key is not None and desk.standings.get(uid) != _standing(tenant):
        desk.standings[uid] = _standing(tenant)
        desk.queue.add_later(key, _REFILL_SECONDS)


def _standing(tenant: Tenant) -> object:
    ready = find(tenant.status.conditions, ConditionType.READY)
    return tenant.is_spare, tenant.metadata.deletion_timestamp, ready and ready.status


def _wants(tenant: Tenant) -> object:
    """What makes an event work: the spec (every change of it is a new generation) and the wish to go."""
    return tenant.metadata.generation, tenant.metadata.deletion_timestamp


def _wake_blocked(desk: Desk) -> None:
    """What one Tenant gives up another may have been waiting for."""
    for tenant in desk.cluster.held_up_by(_BLOCKED_BY_OTHERS):
        desk.queue.add(Key("Tenant", tenant.name))


def _count_again(desk: Desk) -> None:
    for server in desk.cluster.servers:
        desk.queue.add_later(Key("DatabaseServer", server.name), _REFRESH_SERVER_SECONDS)


def observe(desk: Desk, tenant: Tenant) -> None:
    desk.cluster.tenants.put(tenant)
    _wake_pool(desk, tenant)
    known = desk.wants.get(tenant.metadata.uid)
    if known == _wants(tenant):
        return
    desk.wants[tenant.metadata.uid] = _wants(tenant)
    if known is None and life.settled(tenant):
        # After a start all Tenants come by. Those that are well have time; what was touched meanwhile, children say.
        desk.queue.add_later(Key("Tenant", tenant.name), desk.resync_seconds * random.random())  # noqa: S311  no secret
    elif tenant.is_spare:
        # Those that somebody waits for go first, and nobody waits for a spare.
        desk.queue.add_later(Key("Tenant", tenant.name), _SPARE_SECONDS)
    else:
        desk.queue.add(Key("Tenant", tenant.name), _rank(tenant, is_new=known is None))
    if known is None:
        _count_again(desk)
    else:
        _wake_blocked(desk)


def _rank(tenant: Tenant, *, is_new: bool) -> Rank:
    if tenant.spec.claimed_at is not None and tenant.status.url is None:
        return Rank.FINISHING  # a claim: but for route and owner it is complete
    return Rank.ROUTINE if is_new and tenant.status.conditions else Rank.AWAITED


def forget(desk: Desk, tenant: Tenant) -> None:
    desk.wants.pop(tenant.metadata.uid, None)
    desk.standings.pop(tenant.metadata.uid, None)
    desk.cluster.tenants.drop(tenant.name, tenant.metadata.uid)
    desk.memory.drop(tenant.metadata.uid)
    desk.queue.forget(Key("Tenant", tenant.name))
    _wake_blocked(desk)
    _count_again(desk)
    key = _pool_key(tenant)
    if key is not None and tenant.is_spare:
        desk.queue.add_later(key, _REFILL_SECONDS)


def register(registry: kopf.OperatorRegistry, desk: Desk) -> None:
    @kopf.index(GROUP, VERSION, Tenant.plural, id="tenants-listed", registry=registry)
    def listed(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        """Makes kopf hold back all handlers until every kind has been listed: no decision on half a cluster."""
        desk.cluster.tenants.put(Tenant.parse(dict(body)))

    @kopf.on.event(GROUP, VERSION, Tenant.plural, id="tenants", registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        tenant = Tenant.parse(event["object"])
        (forget if event["type"] == "DELETED" else observe)(desk, tenant)
