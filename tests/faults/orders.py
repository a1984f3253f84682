"""What a person orders of one tenant: restart its pods, leave it alone for a while, help its owner in."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from faults.hands import encoded, removal
from faults.looks import annotate, at_rest, go_on, pause, pods, stays
from faults.rig import Rig, eventually
from faults.scenarios import LARGE, change, look, ready, retire
from faults.state import Names
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, SECRET, SERVICE
from vivero_core.model import naming
from vivero_core.model.constants import (
    ANNOTATION_KUBECTL_RESTART,
    ANNOTATION_RESTART,
    PASSWORD_HASH_KEY,
    SIGNUPS_NAMESPACE,
)

_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$cBEwr93N3ZgPL2MWqnJHhQ$AAAAAAAJP4cYM9wnqnvPElTGHRyKvBbPTiMRyyC3wXY"


async def _restarted(rig: Rig, names: Names, order: Callable[[], Awaitable[None]]) -> None:
    """Other pods, once; what was ordered is not taken back."""
    before = await pods(rig, names)
    await order()

    async def others() -> bool:
        now = await pods(rig, names)
        return bool(now) and not now.keys() & before.keys() and await ready(rig, names)

    await eventually(others)
    after = (await pods(rig, names)).keys()

    async def the_same() -> bool:
        return (await pods(rig, names)).keys() == after and await ready(rig, names)

    await stays(the_same, 15)


async def rollout_restart(rig: Rig) -> None:
    """As kubectl writes it, and whose field it is."""
    names = await at_rest(rig)
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    template = {"metadata": {"annotations": {ANNOTATION_KUBECTL_RESTART: stamp}}}
    namespace = naming.namespace_name(names.id)

    async def order() -> None:
        async with KubeClient(rig.kube.config, field_manager="kubectl-rollout") as kubectl:
            await kubectl.patch(DEPLOYMENT, "app", {"spec": {"template": template}}, namespace)

    await _restarted(rig, names, order)
    live = await rig.kube.get(DEPLOYMENT, "app", namespace)
    assert live["spec"]["template"]["metadata"]["annotations"][ANNOTATION_KUBECTL_RESTART] == stamp
    await retire(rig, names)


async def restart_by_annotation(rig: Rig) -> None:
    names = await at_rest(rig)
    for value in ("now", "and again"):
        await _restarted(rig, names, partial(annotate, rig, names, ANNOTATION_RESTART, value))
    await retire(rig, names)


async def paused(rig: Rig) -> None:
    """Nothing is repaired and nothing carried out, visibly; all of it when the annotation goes."""
    names = await at_rest(rig)
    namespace = naming.namespace_name(names.id)
    await pause(rig, names)
    await removal(SERVICE, "app")(rig, names)
    await change(rig, names, plan=LARGE)

    async def untouched() -> bool:
        try:
            await rig.kube.get(SERVICE, "app", namespace)
        except KubeNotFoundError:
            tenant = await look(rig, names)
            return tenant is not None and tenant.status.plan != LARGE
        return False

    await stays(untouched, 15)
    await go_on(rig, names)

    async def carried_out() -> bool:
        tenant = await look(rig, names)
        return tenant is not None and tenant.status.plan == LARGE and await ready(rig, names)

    await eventually(carried_out)
    await rig.kube.get(SERVICE, "app", namespace)
    tenant = await look(rig, names)
    assert tenant is not None
    assert all(one.type != "Paused" for one in tenant.status.conditions)
    await retire(rig, names)


async def owner_is_helped_in(rig: Rig) -> None:
    """Another address, then another password: status says what the data plane answered."""
    names = await at_rest(rig)
    await change(rig, names, owner={"email": "Second@example.com"})
    await eventually(lambda: _has_account(rig, names, "second@example.com"))
    secret = f"signup-faults-{names.id}"
    body = {"metadata": {"name": secret, "namespace": SIGNUPS_NAMESPACE}, "data": {PASSWORD_HASH_KEY: encoded(_HASH)}}
    await rig.kube.create({"apiVersion": "v1", "kind": "Secret", **body})
    await change(rig, names, owner={"passwordHashSecret": secret})

    async def changed() -> bool:
        return rig.data_plane.tenants[names.id].accounts.get("second@example.com") == _HASH

    await eventually(changed)
    await eventually(lambda: ready(rig, names))
    assert list(rig.data_plane.tenants[names.id].accounts) == ["second@example.com"]

    async def used() -> bool:
        try:
            await rig.kube.get(SECRET, secret, SIGNUPS_NAMESPACE)
        except KubeNotFoundError:
            return True
        return False

    await eventually(used)
    await retire(rig, names)


async def _has_account(rig: Rig, names: Names, email: str) -> bool:
    tenant = await look(rig, names)
    known = tenant.status.owner if tenant is not None else None
    return known is not None and known.email == email and await ready(rig, names)


FLOWS: Final[Mapping[str, Callable[[Rig], Awaitable[None]]]] = {
    "kubectl rollout restart": rollout_restart,
    "restart by annotation": restart_by_annotation,
    "paused and going on": paused,
    "owner is helped in": owner_is_helped_in,
}
