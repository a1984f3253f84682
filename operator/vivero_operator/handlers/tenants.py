"""Tenants: every change of what one wants is work; an echo of our own status is not."""

from typing import Any

import kopf
from vivero_core.model.conditions import find
from vivero_core.model.constants import GROUP, VERSION, ConditionType, Reason
from vivero_core.model.tenant import Tenant

from vivero_operator.handlers import Desk
from vivero_operator.reconcile.controller import Key

_BLOCKED_BY_OTHERS = frozenset({Reason.SLUG_TAKEN, Reason.HOST_TAKEN, Reason.ALREADY_ADOPTED})
_REFRESH_SERVER_SECONDS = 3.0


def _wants(tenant: Tenant) -> object:
    """What makes an event work: the spec (every change of it is a new generation) and the wish to go."""
    return tenant.metadata.generation, tenant.metadata.deletion_timestamp


def _wake_blocked(desk: Desk) -> None:
    """What one Tenant gives up another may have been waiting for."""
    for tenant in desk.cluster.tenants:
        ready = find(tenant.status.conditions, ConditionType.READY)
        if ready is not None and ready.reason in _BLOCKED_BY_OTHERS:
            desk.queue.add(Key("Tenant", tenant.name))


def _count_again(desk: Desk) -> None:
    for server in desk.cluster.servers:
        desk.queue.add_later(Key("DatabaseServer", server.name), _REFRESH_SERVER_SECONDS)


def observe(desk: Desk, tenant: Tenant) -> None:
    desk.cluster.tenants.put(tenant)
    known = desk.wants.get(tenant.metadata.uid)
    if known == _wants(tenant):
        return
    desk.wants[tenant.metadata.uid] = _wants(tenant)
    # After a start all Tenants come by; those that somebody waits for go first.
    desk.queue.add(Key("Tenant", tenant.name), urgent=known is not None or not tenant.status.conditions)
    if known is None:
        _count_again(desk)
    else:
        _wake_blocked(desk)


def forget(desk: Desk, tenant: Tenant) -> None:
    desk.wants.pop(tenant.metadata.uid, None)
    desk.cluster.tenants.drop(tenant.name, tenant.metadata.uid)
    desk.memory.forget(tenant.metadata.uid)
    desk.queue.forget(Key("Tenant", tenant.name))
    _wake_blocked(desk)
    _count_again(desk)


def register(registry: kopf.OperatorRegistry, desk: Desk) -> None:
    @kopf.index(GROUP, VERSION, Tenant.plural, id="tenants-listed", registry=registry)
    def listed(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        """Makes kopf hold back all handlers until every kind has been listed: no decision on half a cluster."""
        desk.cluster.tenants.put(Tenant.parse(dict(body)))

    @kopf.on.event(GROUP, VERSION, Tenant.plural, id="tenants", registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        tenant = Tenant.parse(event["object"])
        (forget if event["type"] == "DELETED" else observe)(desk, tenant)
