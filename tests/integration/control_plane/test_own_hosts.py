"""A name of the customer's own on the real API server: what the operator says of it, and that it goes again."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from integration.control_plane.support import Names, make_workspace
from vivero_control import composition
from vivero_control.domain.tenants import own_hosts
from vivero_control.domain.tenants.errors import WrongStateError
from vivero_control.domain.tenants.schemas import OwnHostOrder
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant

PATIENCE = 90.0
"""The operator looks at it with the next pass of a tenant that is being made."""


async def test_a_name_is_looked_at_and_goes_again(
    infrastructure: composition.Infrastructure, kube: KubeClient, names: Names
) -> None:
    made = await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=5))
    tenants = composition.services(infrastructure).tenants
    host = f"b\u00fccher-{secrets.token_hex(4)}.example.com"

    async def found() -> Tenant:
        return Tenant.parse(await kube.get(TENANT, made.name))

    await tenants.add_host(made.name, OwnHostOrder(reason="They asked for it.", host=host), "owner@example.com")
    with pytest.raises(WrongStateError):
        await tenants.add_host(made.name, OwnHostOrder(reason="Once more.", host=host.upper()), "owner@example.com")
    async with asyncio.timeout(PATIENCE):
        while not (seen := await found()).status.hosts:  # noqa: ASYNC110  the status says it
            await asyncio.sleep(0.5)
    (own,) = own_hosts.of_tenant(seen)
    assert (own.shown, own.ready, own.proven) == (host, False, False)
    assert own.value in seen.status.hosts[0].message, "the operator looks for what the page says"
    assert own.record in seen.status.hosts[0].message

    await tenants.remove_host(made.name, OwnHostOrder(reason="No more.", host=own.host), "owner@example.com")
    async with asyncio.timeout(PATIENCE):
        while (await found()).status.hosts:  # noqa: ASYNC110  the status says it
            await asyncio.sleep(0.5)
    assert (await found()).spec.hosts == ()
