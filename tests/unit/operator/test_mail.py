"""The mail server's settings, from the platform's namespace to a tenant's pod."""

import base64
from typing import Any

import pytest
from reconcile.world import PLAN, SERVER, UID, World, tenant_body
from vivero_core.model.naming import tenant_id
from vivero_operator.manifests import copies, pod_template
from vivero_operator.settings import Settings

SOURCE = "tenant-mail"
GIVEN = {"host": "smtp.example", "sender": "Vivero <no-reply@vivero.example>", "password": "sesame"}
COPY = ("Secret", f"tenant-{tenant_id(UID)}", copies.MAIL)


def secret(**data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"name": SOURCE, "namespace": Settings(data_plane_image="x").platform_namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": encoded}


def platform(mail_secret: str) -> World:
    world = World()
    configure(world, mail_secret)
    for item in (PLAN, SERVER, tenant_body()):
        world.put(item)
    return world


def configure(world: World, mail_secret: str) -> None:
    """The operator starts with this setting."""
    world.settings = Settings(data_plane_image="image:1", mail_secret=mail_secret)
    world.restart()


async def copied(world: World) -> dict[str, str] | None:
    world.state.forget(UID)
    await world.reconcile()
    await world.reconcile()
    found = world.kube.objects.get(COPY)
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()} if found else None


async def test_a_tenant_gets_what_its_program_reads_and_nothing_else() -> None:
    world = platform(SOURCE)
    world.put(secret(**GIVEN, admin_token="root"))
    assert await copied(world) == GIVEN
    world.state.forget(UID)
    await world.reconcile()
    assert not [write for write in world.kube.writes if "mail" in write], "nothing has changed"


async def test_a_change_arrives_and_what_was_taken_back_goes() -> None:
    world = platform(SOURCE)
    world.put(secret(**GIVEN))
    assert await copied(world) == GIVEN
    world.put(secret(**{**GIVEN, "password": "other"}))
    assert await copied(world) == {**GIVEN, "password": "other"}
    configure(world, "")
    assert await copied(world) is None


@pytest.mark.parametrize("mail_secret", ["", SOURCE])
async def test_without_a_mail_server_a_tenant_lacks_nothing(mail_secret: str) -> None:
    world = platform(mail_secret)
    assert await copied(world) is None
    assert ("Deployment", COPY[1], "app") in world.kube.objects


def test_the_pod_reads_it_where_the_program_looks_and_starts_without() -> None:
    volume = pod_template.common(Settings(data_plane_image="image:1"))["spec"]["volumes"][0]
    sources = [one["secret"] for one in volume["projected"]["sources"] if "secret" in one]
    (found,) = [one for one in sources if one["name"] == copies.MAIL]
    assert found["optional"] is True
    assert {item["path"] for item in found["items"]} == {f"mail/{key}" for key in copies.MAIL_KEYS}
