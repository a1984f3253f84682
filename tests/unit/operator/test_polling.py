"""Polling of tenants' Secrets and ConfigMaps, and the watch of their records: who was touched is heard."""

import asyncio
from typing import Any, Final, cast

import pytest
from reconcile.scenes import IDENT, NAMESPACE
from reconcile.watched import WatchedKube, touched
from reconcile.world import tenant_body
from unit.operator.listening import WELL, Heard, item, running, settled
from unit.operator.waiting import until
from vivero_core.backends.kube.errors import (
    KubeForbiddenError,
    KubeGoneError,
    KubeNotFoundError,
    KubeUnavailableError,
)
from vivero_core.backends.kube.resources import Resource
from vivero_core.model.tenant import Tenant
from vivero_operator.reconcile import polling
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.polling import Poller, watch_records

RECORDS: Final = "vivero-system"


def five_secrets(kube: WatchedKube) -> None:
    for name in ("app", "cache", "database", "limits", "storage"):
        kube.put(item("Secret", name))
    kube.put(item("ConfigMap", "platform"))


class TestPoller:
    @pytest.fixture
    def one(self, kube: WatchedKube, heard: Heard, cluster: Cluster) -> Poller:
        return Poller(cast("Any", kube), heard, cluster)

    async def test_a_round_without_news(self, one: Poller, kube: WatchedKube, heard: Heard, cluster: Cluster) -> None:
        tenant = settled(cluster)
        five_secrets(kube)
        for _ in range(3):
            await one.look(tenant)
        assert heard.news == []

    @pytest.mark.parametrize(("kind", "name"), [("Secret", "app"), ("ConfigMap", "platform")])
    async def test_a_change_a_deletion_and_a_stripped_label(
        self, kind: str, name: str, one: Poller, kube: WatchedKube, heard: Heard, cluster: Cluster
    ) -> None:
        tenant = settled(cluster)
        five_secrets(kube)
        await one.look(tenant)
        kube.put(item(kind, name, touched("kubectl-edit", "data")))
        await one.look(tenant)
        assert heard.news == [(IDENT, kind)]
        kube.objects[kind, NAMESPACE, name]["metadata"]["labels"] = {}
        await one.look(tenant)
        assert heard.news == [(IDENT, kind)] * 2
        del kube.objects[kind, NAMESPACE, name]
        await one.look(tenant)
        assert heard.news == [(IDENT, kind)] * 3, "and each round, until it is there again"

    @pytest.mark.parametrize("by_us", [True, False])
    async def test_one_made_again_by_another_is_news_and_by_us_is_none(
        self, one: Poller, kube: WatchedKube, heard: Heard, cluster: Cluster, *, by_us: bool
    ) -> None:
        """Else each correction would be looked at once more, half a minute later."""
        tenant = settled(cluster)
        five_secrets(kube)
        await one.look(tenant)
        again = item("Secret", "app", *([] if by_us else [touched("kubectl-create", "data")]))
        again["metadata"]["uid"] = "another"
        kube.put(again)
        await one.look(tenant)
        assert heard.news == ([] if by_us else [(IDENT, "Secret")])

    async def test_at_the_first_look_each_speaks_for_itself(
        self, one: Poller, kube: WatchedKube, heard: Heard, cluster: Cluster
    ) -> None:
        tenant = settled(cluster)
        five_secrets(kube)
        kube.put(item("Secret", "app", touched("kubectl-edit", "data")))
        del kube.objects["ConfigMap", NAMESPACE, "platform"]
        await one.look(tenant)
        assert heard.news == [(IDENT, "Secret"), (IDENT, "ConfigMap")]

    async def test_who_went_in_between_is_not_looked_at(self, one: Poller, heard: Heard, cluster: Cluster) -> None:
        tenant = settled(cluster)
        cluster.tenants.drop(tenant.name, tenant.metadata.uid)
        await one.look(tenant)
        assert heard.news == []

    async def test_every_tenant_comes_by_and_none_stops_the_others(
        self, one: Poller, kube: WatchedKube, heard: Heard, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("FIRST_ROUND_SECONDS", "ROUND_SECONDS", "_AWAY_SECONDS"):
            monkeypatch.setattr(polling, name, 0.001)
        tenants = [others(cluster, f"t{number}") for number in range(4)]
        errors = {
            tenants[0].id: KubeForbiddenError("kubernetes", "no rights yet"),
            tenants[1].id: KubeNotFoundError("kubernetes", "no such namespace"),
            tenants[2].id: KubeUnavailableError("kubernetes", "no answer"),
        }
        looked: list[str] = []
        real = kube.list_as

        async def list_as(resource: Resource, view: Any, namespace: str | None = None, **how: Any) -> Any:  # noqa: ANN401
            ident = (namespace or "").removeprefix("tenant-")
            looked.append(ident)
            if ident in errors:
                raise errors[ident]
            return await real(resource, view, namespace, **how)

        monkeypatch.setattr(kube, "list_as", list_as)
        going = others(cluster, "going", deletionTimestamp="2026-11-22T12:00:00Z")
        async with running(one.run()):
            await until(lambda: all(looked.count(tenant.id) >= 3 for tenant in tenants))
        assert going.id not in looked
        assert heard.news[0] == (tenants[3].id, "Secret"), "it lacks its Secrets"

    @pytest.mark.parametrize("error", [KubeForbiddenError("kubernetes", "no"), KubeNotFoundError("kubernetes", "no")])
    async def test_a_namespace_on_its_way_costs_no_time(
        self, error: Exception, one: Poller, kube: WatchedKube, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("FIRST_ROUND_SECONDS", "ROUND_SECONDS"):
            monkeypatch.setattr(polling, name, 0.001)
        monkeypatch.setattr(polling, "_AWAY_SECONDS", 3600)
        settled(cluster)
        kube.errors["Secret"] = error
        async with running(one.run()):
            await until(lambda: len(kube.listed) > 4)

    async def test_it_waits_for_the_first_tenant(
        self, one: Poller, kube: WatchedKube, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("FIRST_ROUND_SECONDS", "ROUND_SECONDS"):
            monkeypatch.setattr(polling, name, 0.001)
        async with running(one.run()):
            await asyncio.sleep(0.01)
            assert kube.listed == []
            settled(cluster)
            await until(lambda: bool(kube.listed))

    async def test_what_is_gone_is_forgotten(
        self, one: Poller, kube: WatchedKube, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("FIRST_ROUND_SECONDS", "ROUND_SECONDS"):
            monkeypatch.setattr(polling, name, 0.001)
        tenant = settled(cluster)
        five_secrets(kube)
        async with running(one.run()):
            await until(lambda: len(kube.listed) > 4)
            cluster.tenants.drop(tenant.name, tenant.metadata.uid)
            await until(lambda: not one._seen)  # noqa: SLF001  what must not grow without a bound


def others(cluster: Cluster, name: str, **metadata: object) -> Tenant:
    made = tenant_body(name)
    tenant = Tenant.parse({**made, "metadata": {**made["metadata"], "uid": f"uid-{name}", **metadata}, "status": WELL})
    cluster.tenants.put(tenant)
    return tenant


def record(**labels: str) -> dict[str, Any]:
    made = item("Secret", f"escrow-{IDENT}", namespace=RECORDS)
    made["metadata"]["labels"] = {"vivero.dev/escrow": IDENT, **labels}
    return made


class TestRecords:
    async def test_a_record_that_is_missing_changed_or_deleted(self, kube: WatchedKube, cluster: Cluster) -> None:
        heard: list[str] = []
        settled(cluster)
        async with running(watch_records(cast("Any", kube), heard.append, cluster, RECORDS)):
            await until(lambda: kube.watching("Secret"))
            assert heard == [IDENT]
            kube.tell("Secret", "ADDED", kube.put(record()))
            live = kube.put(
                {**record(), "metadata": {**record()["metadata"], "managedFields": [touched("kubectl-edit", "data")]}}
            )
            kube.tell("Secret", "MODIFIED", live)
            await until(lambda: len(heard) == 2)
            kube.tell("Secret", "DELETED", live)
            await until(lambda: len(heard) == 3)

    async def test_one_that_is_as_we_made_it_is_no_news(self, kube: WatchedKube, cluster: Cluster) -> None:
        heard: list[str] = []
        settled(cluster)
        kube.put(record())
        async with running(watch_records(cast("Any", kube), heard.append, cluster, RECORDS)):
            await until(lambda: kube.watching("Secret"))
            del kube.objects["Secret", RECORDS, f"escrow-{IDENT}"]
            kube.interrupt("Secret", KubeGoneError("kubernetes", "too old"))
            await until(lambda: bool(heard))
        assert heard == [IDENT, IDENT], "it went while the watch was away, and is missing"
