"""A Tenant goes without its finalizer: what it leaves is reported, keeps no address, and is adopted or deleted on request."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from faults.looks import AGAIN_SECONDS, at_rest, stays
from faults.rig import Rig, eventually
from faults.scenarios import born, create, look, new_slug, prepare_signup, ready, retire
from faults.state import Names, inventory
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DATABASE_SERVER, INGRESS, TENANT
from vivero_core.model import naming

SERVER: Final = "main"
EVERYTHING: Final = {
    "schema",
    "database users",
    "bucket",
    "storage account",
    "cache user",
    "namespace",
    "keys",
}


async def strip(rig: Rig, names: Names) -> None:
    """A person in a hurry: no finalizer, and gone."""
    await rig.kube.patch(TENANT, names.tenant, {"metadata": {"finalizers": None}})
    await rig.kube.delete(TENANT, names.tenant, uid=names.uid)


async def reported(rig: Rig, names: Names) -> dict[str, Any] | None:
    """What the DatabaseServer says about it."""
    status = (await rig.kube.get(DATABASE_SERVER, SERVER)).get("status", {})
    return next((one for one in status.get("orphaned", []) if one["id"] == names.id), None)


async def has_address(rig: Rig, names: Names) -> bool:
    try:
        await rig.kube.get(INGRESS, "app", naming.namespace_name(names.id))
    except KubeNotFoundError:
        return False
    return True


async def _orphan(rig: Rig) -> Names:
    """One that is reported, and that no address leads to."""
    names = await at_rest(rig)
    await strip(rig, names)

    async def seen() -> bool:
        return await reported(rig, names) is not None

    await eventually(seen)
    found = await reported(rig, names)
    assert found is not None
    assert set(found["found"]) == EVERYTHING
    assert found["tenant"] == names.tenant

    async def closed() -> bool:
        return not await has_address(rig, names)

    await eventually(closed)
    return names


async def _order(rig: Rig, *idents: str) -> None:
    await rig.kube.patch(DATABASE_SERVER, SERVER, {"spec": {"removeOrphans": list(idents)}})


async def _left(rig: Rig, names: Names) -> list[str]:
    """Where something of it still is."""
    found = await inventory(rig.kube, rig.servers)
    return [where for where, idents in found.items() if names.id in idents]


async def made_again(rig: Rig) -> None:
    """A Tenant of the same name and address is another one, and does not flap; nothing of the first is touched."""
    first = await _orphan(rig)
    await prepare_signup(rig, first.slug)
    second = await create(rig, first.slug)
    await eventually(lambda: ready(rig, second))
    before = await _left(rig, first)
    assert second.id != first.id
    states = set()

    async def still() -> bool:
        tenant = await look(rig, second)
        assert tenant is not None
        states.add((tenant.status.id, tenant.status.message, tenant.status.observed_generation))
        return await ready(rig, second) and not await has_address(rig, first)

    await stays(still, 15)
    assert len(states) == 1, states
    assert await _left(rig, first) == before
    assert await reported(rig, first) is not None
    await retire(rig, second)
    await _remove(rig, first)


async def _remove(rig: Rig, names: Names) -> None:
    await _order(rig, names.id)

    async def removed() -> bool:
        return await reported(rig, names) is None and await _left(rig, names) == []

    await eventually(removed, AGAIN_SECONDS)
    await _order(rig)


async def deleted_on_request(rig: Rig) -> None:
    """That one alone: an order that names a living Tenant destroys nothing."""
    living, orphan = await born(rig, new_slug()), await _orphan(rig)
    before = await rig.collector.collect(living)
    await _order(rig, living.id, "abcdefgh23")
    await stays(lambda: ready(rig, living))
    await _remove(rig, orphan)
    assert await rig.collector.collect(living) == before
    await retire(rig, living)


async def adopted(rig: Rig) -> None:
    """With the same keys, and no orphan any more."""
    orphan = await _orphan(rig)
    kept = await rig.collector.credentials(orphan.id)
    slug = new_slug()
    await prepare_signup(rig, slug)
    heir = await create(rig, slug, adopt=orphan.id)
    await eventually(lambda: ready(rig, heir), AGAIN_SECONDS)
    assert (await rig.collector.credentials(orphan.id))["app"]["file_key"] == kept["app"]["file_key"]

    async def settled() -> bool:
        return await reported(rig, orphan) is None

    await eventually(settled, AGAIN_SECONDS)
    await retire(rig, heir)


FLOWS: Final[Mapping[str, Callable[[Rig], Awaitable[None]]]] = {
    "finalizer stripped, made again": made_again,
    "finalizer stripped, deleted on request": deleted_on_request,
    "finalizer stripped, adopted": adopted,
}
