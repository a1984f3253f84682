"""A server's archiver runs where it is asked for, knows the keys of all tenants, and its state is told."""

from typing import Any

import pytest
from reconcile.fakes import merge
from reconcile.world import SERVER, Object, World
from unit.model.test_recoverability import WHOLE
from vivero_core.envelope import public_key
from vivero_core.model.database_server import DatabaseServer
from vivero_operator.archiver.configuration import ERASED
from vivero_operator.archiver.lock import Lock
from vivero_operator.reconcile import archives
from vivero_operator.reconcile.database_server import DatabaseServerReconciler
from vivero_operator.settings import Settings

ARCHIVED = merge(SERVER, {"spec": {"archiverSecret": "mariadb-archiver"}})
SETTINGS = Settings(data_plane_image="image:1", operator_image="operator:1", backup_secret="backup-storage")
KEY = "ab" * 32


def world_of(server: Object = ARCHIVED, settings: Settings = SETTINGS) -> World:
    world = World()
    world.settings = settings
    world.restart()
    world.put(server)
    return world


def server_of(world: World) -> DatabaseServer:
    found = world.cluster.servers.get("main")
    assert found is not None
    return found


async def recoverable(world: World) -> tuple[str, str, str]:
    await DatabaseServerReconciler(world.services, lambda _: None, lambda: None).reconcile("main")
    conditions = world.kube.objects["DatabaseServer", None, "main"]["status"]["conditions"]
    (found,) = (one for one in conditions if one["type"] == "Recoverable")
    return found["status"], found["reason"], found["message"]


def deployments(world: World) -> list[Object]:
    return [item for (kind, _, _), item in world.kube.objects.items() if kind == "Deployment"]


def keys(world: World) -> dict[str, str]:
    (found,) = (
        item
        for (kind, _, name), item in world.kube.objects.items()
        if name.startswith("archiver-") and kind == "ConfigMap"
    )
    data: dict[str, str] = found.get("data", {})
    return data


class TestTheArchiver:
    async def test_knows_the_lock_of_what_it_writes(self) -> None:
        settings = SETTINGS.model_copy(update={"backup_lock": "COMPLIANCE"})
        world = world_of(settings=settings)
        await recoverable(world)
        (made,) = deployments(world)
        (container,) = made["spec"]["template"]["spec"]["containers"]
        assert Lock.of({one["name"]: one["value"] for one in container["env"]}) == settings.lock

    async def test_runs_without_an_account_and_with_the_logins_it_needs(self) -> None:
        world = world_of()
        await recoverable(world)
        (made,) = deployments(world)
        assert made["metadata"]["ownerReferences"][0]["kind"] == "DatabaseServer"
        assert made["spec"]["strategy"] == {"type": "Recreate"}, "two would write the same chain"
        pod = made["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        sources: list[Any] = pod["volumes"][0]["projected"]["sources"]
        assert [one["secret"]["name"] for one in sources if "secret" in one] == ["mariadb-archiver", "backup-storage"]

    async def test_ends_when_nobody_asks_for_it_any_more(self) -> None:
        world = world_of()
        await recoverable(world)
        world.put(SERVER | {"spec": {"archiverSecret": None}})
        assert (await recoverable(world))[:2] == ("False", "NotConfigured")
        assert deployments(world) == []


class TestRecoverable:
    async def test_with_a_whole_log_and_an_archiver_that_follows_it(self) -> None:
        world = world_of()
        world.backends.servers["main"].variables = dict(WHOLE)
        assert (await recoverable(world))[:2] == ("False", "ArchiverNotReady")
        (made,) = deployments(world)
        made["status"] = {"readyReplicas": 1}
        apply = world.kube.apply

        async def with_status(manifest: Object, **how: object) -> Object:
            applied = await apply(manifest, **how)
            return applied | ({"status": {"readyReplicas": 1}} if manifest["kind"] == "Deployment" else {})

        world.kube.apply = with_status  # type: ignore[method-assign]  # the fake stores no status of others
        assert (await recoverable(world))[:2] == ("True", "Archiving")

    @pytest.mark.parametrize(
        ("server", "settings", "told"),
        [
            (SERVER, SETTINGS, "archiverSecret"),
            (ARCHIVED, Settings(data_plane_image="image:1"), "backup_secret"),
        ],
    )
    async def test_what_is_not_set_up_is_told(self, server: Object, settings: Settings, told: str) -> None:
        status, reason, message = await recoverable(world_of(server, settings))
        assert (status, reason) == ("False", "NotConfigured")
        assert told in message

    async def test_settings_that_would_lose_data_are_told(self) -> None:
        world = world_of()
        world.backends.servers["main"].variables = WHOLE | {"sync_binlog": "0"}
        status, reason, message = await recoverable(world)
        assert (status, reason) == ("False", "Misconfigured")
        assert "sync_binlog is 0" in message

    async def test_what_is_known_stays_while_the_server_is_away(self) -> None:
        world = world_of()
        world.backends.servers["main"].variables = WHOLE | {"log_bin": "OFF"}
        before = await recoverable(world)
        world.backends.servers["main"].down = True
        assert await recoverable(world) == before


class TestKeys:
    async def test_a_tenants_is_told_once(self) -> None:
        world = world_of()
        await archives.publish_key(world.services, server_of(world), "t1", KEY)
        await archives.publish_key(world.services, server_of(world), "t2", KEY)
        assert keys(world) == dict.fromkeys(("t1", "t2"), public_key(bytes.fromhex(KEY)).hex())
        world.kube.writes.clear()
        await archives.publish_key(world.services, server_of(world), "t1", KEY)
        assert world.kube.writes == []

    async def test_what_somebody_deletes_is_told_again(self) -> None:
        world = world_of()
        await archives.publish_key(world.services, server_of(world), "t1", KEY)
        name = next(key for key in world.kube.objects if key[2].startswith("archiver-") and key[0] == "ConfigMap")
        del world.kube.objects[name]
        await recoverable(world)
        assert keys(world).keys() == {"t1"}

    async def test_an_erased_tenants_is_taken_back(self) -> None:
        world = world_of()
        await archives.publish_key(world.services, server_of(world), "t1", KEY)
        await archives.withdraw_key(world.services, server_of(world), "t1")
        await archives.withdraw_key(world.services, server_of(world), "t1")
        assert keys(world) == {"t1": ERASED}
        await archives.publish_key(world.services, server_of(world), "t1", KEY)
        assert keys(world)["t1"] != ERASED, "its data was restored under the same id"

    async def test_without_an_archive_there_are_none(self) -> None:
        world = world_of(SERVER)
        await archives.publish_key(world.services, server_of(world), "t1", KEY)
        await archives.withdraw_key(world.services, server_of(world), "t1")
        assert not [key for key in world.kube.objects if key[0] == "ConfigMap"]
