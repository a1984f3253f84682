"""Where unit tests begin: a world whose Tenant acme is at some point of its life, and short questions about it."""

import base64
from typing import Any

from reconcile.world import PLAN, SERVER, UID, Object, World, tenant_body
from vivero_core.model.conditions import find
from vivero_core.model.naming import bucket_name, database_name, namespace_name, tenant_id
from vivero_core.model.tenant import Tenant

IDENT = tenant_id(UID)
NAMESPACE = namespace_name(IDENT)
SCHEMA, BUCKET = database_name(IDENT), bucket_name(IDENT)


def pod(name: str = "app-1", *, ready: bool = True, revision: str | None = None, **status: Any) -> Object:  # noqa: ANN401  as Kubernetes has it
    """Of Tenant acme; of the revision that its Deployment wants unless `revision` is `old`."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}, *status.pop("conditions", ())]
    metadata: Object = {"name": name, "namespace": NAMESPACE, "labels": {"vivero.dev/tenant": IDENT}}
    if revision is not None:
        metadata["annotations"] = {"vivero.dev/revision": revision}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "status": {"podIP": "10.0.0.9", "conditions": conditions, **status},
    }


def password(world: World, name: str = "signup-1", content: str = "$argon2id$") -> None:
    """A Secret with a password hash, as a signup or a member of staff makes it."""
    data = {"password_hash": base64.b64encode(content.encode()).decode()}
    world.put({"kind": "Secret", "metadata": {"name": name, "namespace": "vivero-signups", "uid": name}, "data": data})


async def begun(**spec: object) -> World:
    """After the first pass: all is made, and no pod is there yet."""
    world = World()
    for manifest in (PLAN, SERVER, tenant_body(**spec)):
        world.put(manifest)
    await world.reconcile()
    return world


async def serving(**spec: object) -> World:
    """Tenant acme is Ready, its pod answers, and a pass has looked at all of it since."""
    world = await begun(**spec)
    world.put(pod())
    for _ in range(2):
        await world.reconcile()
    assert condition(world, "Ready") == "True Proven"
    return world


async def again(world: World, *, suspect: bool = True) -> None:
    """A pass that reads everything, because something seems to have been touched or because it is time."""
    if suspect:
        world.state.suspect(UID)
    else:
        world.state.forget(UID)
    await world.reconcile()


def body(world: World, name: str = "acme") -> Object:
    return world.kube.objects["Tenant", None, name]


def change(world: World, **spec: object) -> None:
    """A person edits the Tenant."""
    generation = body(world)["metadata"]["generation"] + 1
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "generation": generation}, "spec": spec})


def condition(world: World, kind: str, name: str = "acme") -> str | None:
    found = find(Tenant.parse(body(world, name)).status.conditions, kind)
    return f"{found.status} {found.reason}" if found is not None else None


def events(world: World) -> list[str]:
    """Type, reason and note of all events, in the order of their making."""
    found = [item for (kind, _, _), item in world.kube.objects.items() if kind == "Event"]
    return [f"{item['type']} {item['reason']}: {item['note']}" for item in found]


def secret(world: World, name: str = "app", namespace: str = NAMESPACE) -> dict[str, str]:
    """Its content, decoded."""
    data = world.kube.objects["Secret", namespace, name]["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}
