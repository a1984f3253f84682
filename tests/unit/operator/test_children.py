"""Watches of tenants' objects: who was touched is heard, and one kind stops no other."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

import pytest
from reconcile.scenes import IDENT, NAMESPACE
from reconcile.watched import WatchedKube, touched
from unit.operator.listening import Heard, item, running, settled
from unit.operator.waiting import until
from vivero_core.backends.kube import resources
from vivero_core.backends.kube.errors import (
    KubeForbiddenError,
    KubeGoneError,
    KubeUnavailableError,
)
from vivero_core.backends.kube.resources import Resource
from vivero_operator.manifests import namespace
from vivero_operator.policies import backoff
from vivero_operator.reconcile import children
from vivero_operator.reconcile.cluster import Cluster

ALL: Final = (*children.KINDS, resources.INGRESS, *children.SUMMED_UP)


def watching(
    kube: WatchedKube, heard: Heard, cluster: Cluster, route: Resource = resources.INGRESS
) -> Coroutine[Any, Any, None]:
    return children.watch(cast("Any", kube), heard, cluster, route)


def called(kind: Resource) -> str:
    """The name of a tenant's object of the kind."""
    return {"Namespace": NAMESPACE, "RoleBinding": namespace.RIGHTS}.get(kind.kind, "app")


def everything(kube: WatchedKube) -> None:
    """As after a start: every tenant that is well has an object of each kind."""
    for kind in ALL:
        kube.put(item(kind.kind, called(kind)))


def all_watched(kube: WatchedKube, *but: str) -> Callable[[], bool]:
    return lambda: all(kube.watching(kind.kind) for kind in ALL if kind.kind not in but)


class TestWatches:
    async def test_what_is_as_we_made_it_is_no_news(self, kube: WatchedKube, heard: Heard, cluster: Cluster) -> None:
        settled(cluster)
        everything(kube)
        async with running(watching(kube, heard, cluster)):
            await until(all_watched(kube))
        assert heard.news == []

    @pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.kind)
    async def test_a_change_and_a_deletion_of_each_kind(
        self, kind: Resource, kube: WatchedKube, heard: Heard, cluster: Cluster
    ) -> None:
        settled(cluster)
        everything(kube)
        async with running(watching(kube, heard, cluster)):
            await until(all_watched(kube))
            live = kube.put(item(kind.kind, called(kind), touched("kubectl-edit", "spec")))
            kube.tell(kind.kind, "MODIFIED", live)
            await until(lambda: len(heard.news) == 1)
            kube.tell(kind.kind, "DELETED", live)
            await until(lambda: len(heard.news) == 2)
        assert heard.news == [(IDENT, kind.kind)] * 2

    @pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.kind)
    async def test_what_is_missing_or_was_changed_before_the_start(
        self, kind: Resource, kube: WatchedKube, heard: Heard, cluster: Cluster
    ) -> None:
        settled(cluster)
        everything(kube)
        del kube.objects[kind.kind, None if kind.kind == "Namespace" else NAMESPACE, called(kind)]
        async with running(watching(kube, heard, cluster)):
            await until(all_watched(kube))
        assert heard.news == [(IDENT, kind.kind)]
        heard.news.clear()
        kube.put(item(kind.kind, called(kind), touched("kubectl-edit", "spec")))
        async with running(watching(kube, heard, cluster)):
            await until(all_watched(kube))
        assert heard.news == [(IDENT, kind.kind)]

    @pytest.mark.parametrize("kind", children.SUMMED_UP, ids=lambda kind: kind.kind)
    async def test_what_adds_to_the_rights_counts_without_our_label(
        self, kind: Resource, kube: WatchedKube, heard: Heard, cluster: Cluster
    ) -> None:
        settled(cluster)
        everything(kube)
        async with running(watching(kube, heard, cluster)):
            await until(all_watched(kube))
            foreign = item(kind.kind, "foreign")
            foreign["metadata"] |= {"labels": {}, "managedFields": [touched("kubectl-create", "spec")]}
            kube.tell(kind.kind, "ADDED", kube.put(foreign))
            elsewhere = {**foreign, "metadata": {**foreign["metadata"], "namespace": "default", "uid": "other"}}
            kube.tell(kind.kind, "ADDED", kube.put(elsewhere))
            await until(lambda: bool(heard.news))
        assert heard.news == [(IDENT, kind.kind)]

    async def test_what_changed_while_the_watch_was_away(
        self, kube: WatchedKube, heard: Heard, cluster: Cluster
    ) -> None:
        settled(cluster)
        everything(kube)
        async with running(watching(kube, heard, cluster)):
            await until(all_watched(kube))
            del kube.objects["Service", NAMESPACE, "app"]
            kube.interrupt("Service", KubeGoneError("kubernetes", "too old"))
            await until(lambda: bool(heard.news))
        assert heard.news == [(IDENT, "Service")]

    async def test_routes_of_the_gateway_api_in_place_of_ingresses(
        self, kube: WatchedKube, heard: Heard, cluster: Cluster
    ) -> None:
        settled(cluster)
        everything(kube)
        async with running(watching(kube, heard, cluster, resources.HTTP_ROUTE)):
            await until(all_watched(kube, "Ingress"))
            assert heard.news == [(IDENT, "HTTPRoute")], "it is missing"
            made = kube.put(item("HTTPRoute", "app"))
            kube.tell("HTTPRoute", "ADDED", made)
            kube.tell("HTTPRoute", "MODIFIED", kube.put(item("HTTPRoute", "app", touched("kubectl-edit", "spec"))))
            await until(lambda: len(heard.news) == 2)
            assert not kube.watching("Ingress")
        assert heard.news == [(IDENT, "HTTPRoute")] * 2


class TestOneKindStopsNoOther:
    @pytest.mark.parametrize("error", [KubeForbiddenError("kubernetes", "no"), ValueError("a bug")], ids=str)
    async def test_that_is_refused_or_broken(
        self, error: Exception, kube: WatchedKube, heard: Heard, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backoff, "delay", lambda *_: 0.001)
        settled(cluster)
        everything(kube)
        kube.errors["Service"] = error
        async with running(watching(kube, heard, cluster)):
            await until(all_watched(kube, "Service"))
            await until(lambda: kube.listed.count("Service") > 2)
            kube.errors.clear()
            await until(all_watched(kube))

    @pytest.mark.parametrize("how", ["hangs", "no answer"])
    async def test_that_gets_no_list(
        self, how: str, kube: WatchedKube, heard: Heard, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(children, "EXCLUSIVE_SECONDS", 0.02)
        settled(cluster)
        everything(kube)
        if how == "hangs":
            kube.hanging.add("Namespace")
        else:
            kube.errors["Namespace"] = KubeUnavailableError("kubernetes", "no answer")
        async with running(watching(kube, heard, cluster)):
            await until(all_watched(kube, "Namespace"))
            kube.hanging.clear()
            kube.errors.clear()
            await until(all_watched(kube))

    async def test_first_lists_are_made_in_turn(self, kube: WatchedKube, heard: Heard, cluster: Cluster) -> None:
        kube.hanging.add("Namespace")
        async with running(watching(kube, heard, cluster)):
            await until(lambda: bool(kube.listed))
            await asyncio.sleep(0.02)
            assert kube.listed == ["Namespace"]
            kube.hanging.clear()
            await until(all_watched(kube))
        assert sorted(kube.listed) == sorted(kind.kind for kind in ALL)


def test_kinds_are_watched_once() -> None:
    assert len(set(ALL)) == len(ALL)
    assert resources.SECRET not in ALL
