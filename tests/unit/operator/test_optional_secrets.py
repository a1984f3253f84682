"""What a workspace may lack, from the platform's namespace to a tenant's pod: the mail server, where errors are reported."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from reconcile.world import PLAN, SERVER, UID, World, tenant_body
from vivero_core.model.naming import tenant_id
from vivero_operator.manifests import copies, pod_template
from vivero_operator.settings import Settings

NAMESPACE = f"tenant-{tenant_id(UID)}"


@dataclass(frozen=True)
class Part:
    """A setting, its value, the copy's name, and what the Secret holds."""

    setting: str
    source: str
    name: str
    keys: tuple[str, ...]
    given: Mapping[str, str] = field(default_factory=dict)

    def settings(self, source: str) -> Settings:
        return Settings.model_validate({"data_plane_image": "image:1", self.setting: source})


MAIL = Part(
    "mail_secret",
    "tenant-mail",
    copies.MAIL,
    copies.MAIL_KEYS,
    {"host": "smtp.example", "sender": "Vivero <no-reply@vivero.example>", "password": "sesame"},
)
TELEMETRY = Part(
    "workspace_telemetry_secret",
    "tenant-telemetry",
    copies.TELEMETRY,
    copies.TELEMETRY_KEYS,
    {"sentry_dsn": "https://sesame@sentry.example/1"},
)
parts = pytest.mark.parametrize("part", [MAIL, TELEMETRY], ids=["mail", "telemetry"])


def secret(part: Part, **more: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in {**part.given, **more}.items()}
    metadata = {"name": part.source, "namespace": Settings(data_plane_image="x").platform_namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": encoded}


def platform(part: Part, source: str) -> World:
    world = World()
    configure(world, part, source)
    for item in (PLAN, SERVER, tenant_body()):
        world.put(item)
    return world


def configure(world: World, part: Part, source: str) -> None:
    """The operator starts with this setting."""
    world.settings = part.settings(source)
    world.restart()


async def copied(world: World, part: Part) -> dict[str, str] | None:
    world.state.forget(UID)
    await world.reconcile()
    await world.reconcile()
    found = world.kube.objects.get(("Secret", NAMESPACE, part.name))
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()} if found else None


@parts
async def test_a_tenant_gets_what_its_program_reads_and_nothing_else(part: Part) -> None:
    world = platform(part, part.source)
    world.put(secret(part, admin_token="root"))
    assert await copied(world, part) == part.given
    world.state.forget(UID)
    await world.reconcile()
    assert not [write for write in world.kube.writes if write.endswith(f"/{part.name}")], "nothing has changed"


@parts
async def test_a_change_arrives_and_what_was_taken_back_goes(part: Part) -> None:
    world, changed = platform(part, part.source), part.keys[-1]
    world.put(secret(part))
    assert await copied(world, part) == part.given
    world.put(secret(part, **{changed: "other"}))
    assert await copied(world, part) == {**part.given, changed: "other"}
    configure(world, part, "")
    assert await copied(world, part) is None


@parts
@pytest.mark.parametrize("source", ["", "is-not-there"])
async def test_a_tenant_lacks_nothing_without(part: Part, source: str) -> None:
    world = platform(part, source)
    assert await copied(world, part) is None
    assert ("Deployment", NAMESPACE, "app") in world.kube.objects


def mounted(settings: Settings) -> dict[str, dict[str, Any]]:
    """Sources of the pod's files that may be missing, by the Secret's name."""
    volume = pod_template.common(settings)["spec"]["volumes"][0]
    sources = [one["secret"] for one in volume["projected"]["sources"] if "secret" in one]
    return {one["name"]: one for one in sources if one.get("optional")}


@parts
def test_the_pod_reads_it_where_the_program_looks_and_starts_without(part: Part) -> None:
    found = mounted(part.settings(part.source))[part.name]
    assert {item["path"] for item in found["items"]} == {f"{part.name}/{key}" for key in part.keys}


def test_a_pod_is_watched_for_reports_only_where_there_are_some() -> None:
    assert copies.TELEMETRY not in mounted(TELEMETRY.settings(""))


async def test_the_address_is_in_the_copy_alone() -> None:
    """In no status, event, condition or other object of the cluster."""
    world = platform(TELEMETRY, TELEMETRY.source)
    world.put(secret(TELEMETRY))
    await copied(world, TELEMETRY)
    encoded = base64.b64encode(TELEMETRY.given["sentry_dsn"].encode()).decode()
    holding = [key for key, item in world.kube.objects.items() if "sesame" in str(item) or encoded in str(item)]
    source = ("Secret", Settings(data_plane_image="x").platform_namespace, TELEMETRY.source)
    assert sorted(holding) == sorted([source, ("Secret", NAMESPACE, copies.TELEMETRY)])
