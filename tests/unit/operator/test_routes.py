"""Which kind of route tenants have, what it can do, and how one kind takes the other's place without a gap."""

from typing import Any, cast

import pytest
from pydantic import ValidationError
from reconcile.fakes import merge
from reconcile.scenes import IDENT, NAMESPACE, again, change, condition, events, serving
from reconcile.world import Object, World
from unit.operator.listening import running
from unit.operator.own_hosts import HOST, publish, said, served, with_issuer
from unit.operator.waiting import until
from vivero_core.backends.kube.errors import KubeForbiddenError, KubeUnavailableError
from vivero_core.backends.kube.resources import Resource
from vivero_core.model.constants import LABEL_TENANT
from vivero_operator.manifests import http_route, ingress
from vivero_operator.reconcile import routes
from vivero_operator.reconcile.orphans import OrphanReconciler
from vivero_operator.reconcile.routes import ReplacedRoutes
from vivero_operator.settings import Gateway, Settings

UNKNOWN = [KubeUnavailableError("kubernetes", "404 page not found"), KubeForbiddenError("kubernetes", "no rights")]
PLATFORM = Gateway(name="platform", namespace="projectcontour", listener="workspaces")


def switch(world: World, gateway: Gateway | None = PLATFORM) -> ReplacedRoutes:
    """The operator is started again with other settings, beside a Gateway that says nothing yet."""
    world.kube.gateway_says = None
    world.settings = world.settings.model_copy(update={"gateway": gateway})
    world.restart()
    return ReplacedRoutes(world.services)


def accepted(live: Object, status: str = "True", **more: object) -> Object:
    """As the Gateway's controller writes it."""
    said = {"type": "Accepted", "status": status, **more}
    return merge(live, {"status": {"parents": [{"controllerName": "c", "conditions": [said]}]}})


def accept(world: World) -> None:
    world.put(accepted(world.kube.objects["HTTPRoute", NAMESPACE, "app"]))


def there(world: World) -> set[tuple[str, str | None, str]]:
    return {key for key in world.kube.objects if key[0] in {"Ingress", "HTTPRoute"}}


class TestSettings:
    def test_the_gateway_decides(self) -> None:
        plain = Settings(data_plane_image="image:1")
        assert routes.of(plain).resource.kind == "Ingress"
        assert routes.of(plain.model_copy(update={"gateway": PLATFORM})).resource.kind == "HTTPRoute"

    def test_it_comes_as_one_object(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VIVERO_GATEWAY", PLATFORM.model_dump_json())
        assert Settings(data_plane_image="image:1").gateway == PLATFORM

    @pytest.mark.parametrize(
        "edit", [{"name": ""}, {"listener": None}, {"sectionName": "https"}, {"namespace": "Not a name"}]
    )
    def test_one_that_is_not_whole_is_refused(self, edit: Object) -> None:
        with pytest.raises(ValidationError):
            Settings(data_plane_image="image:1", gateway=cast("Any", PLATFORM.model_dump() | edit))


class TestAccepted:
    @pytest.mark.parametrize(
        ("live", "expected"),
        [
            ({}, False),
            ({"status": {"parents": []}}, False),
            (accepted({}), True),
            (accepted({}, "False"), False),
            (accepted({"metadata": {"generation": 2}}, observedGeneration=2), True),
            (accepted({"metadata": {"generation": 3}}, observedGeneration=2), False),
        ],
    )
    def test_as_the_controller_says_of_this_very_spec(self, live: Object, *, expected: bool) -> None:
        assert http_route.is_accepted({"metadata": {}} | live) is expected


class TestOwnHosts:
    async def test_a_proof_outlasts_a_gateway(self) -> None:
        """Who goes back to Ingresses need not ask customers for their records again."""
        world = await served()
        verified = said(world)["verifiedAt"]
        switch(world)
        await world.reconcile()
        assert (said(world)["reason"], said(world)["verifiedAt"]) == ("HostNotSupported", verified)
        assert condition(world, "HostsReady") == "False HostNotSupported"
        assert condition(world, "Ready") == "True Proven"
        world.dns.records.clear()
        switch(world, None)
        await world.reconcile()
        assert (said(world)["reason"], said(world)["verifiedAt"]) == ("HostServed", verified)

    async def test_an_issuer_gets_no_route_for_its_challenge(self) -> None:
        """A host without a certificate has none, and no other host's is shown there."""
        world = await with_issuer(hosts=[HOST])
        publish(world)
        await world.reconcile()
        assert (("Ingress", NAMESPACE, ingress.ISSUED_HOSTS)) in there(world)
        replaced = switch(world)
        await world.reconcile()
        accept(world)
        assert await replaced.remove() == 0
        assert there(world) == {("HTTPRoute", NAMESPACE, "app")}
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()
        assert there(world) == set()

    async def test_in_the_platforms_namespace_none_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the operator has no rights on HTTPRoutes: pages of suspended custom hosts are Ingresses alone."""
        world = await served()
        switch(world)
        asked, real = set[str | None](), world.kube.get

        async def get(resource: Resource, name: str, namespace: str | None = None) -> Object:
            if resource.kind == "HTTPRoute":
                asked.add(namespace)
            return await real(resource, name, namespace)

        monkeypatch.setattr(world.kube, "get", get)
        for suspended in ({"reason": "Unpaid"}, None):
            change(world, suspended=suspended)
            await world.reconcile()
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": "2026-11-22T12:01:00Z"}})
        for _ in range(3):
            await world.reconcile()
        assert condition(world, "RouteReady") == "False Erased"
        assert asked == {NAMESPACE}


class TestReplaced:
    async def test_the_old_ones_go_when_the_gateway_has_accepted_the_new_one(self) -> None:
        world = await served()
        old = {("Ingress", NAMESPACE, "app"), ("Ingress", NAMESPACE, ingress.HOSTS)}
        replaced = switch(world)
        assert await replaced.remove() == 2, "there is nothing else yet"
        await world.reconcile()
        assert await replaced.remove() == 2, "a Gateway of another name would serve nobody"
        assert there(world) == old | {("HTTPRoute", NAMESPACE, "app")}
        assert not any("Drift" in one for one in events(world)), "nobody removed a route"
        accept(world)
        assert await replaced.remove() == 0
        assert there(world) == {("HTTPRoute", NAMESPACE, "app")}

    async def test_a_route_that_is_gone_later_is_drift(self) -> None:
        world = await serving()
        replaced = switch(world)
        await world.reconcile()
        accept(world)
        assert await replaced.remove() == 0
        world.remove("HTTPRoute", NAMESPACE, "app")
        await again(world)
        assert any("Drift corrected: HTTPRoute/app" in one for one in events(world)), events(world)

    @pytest.mark.parametrize("error", UNKNOWN, ids=str)
    async def test_one_is_put_back_where_the_other_kind_cannot_be_read(
        self, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = await serving()
        real = world.kube.get

        async def get(resource: Resource, name: str, namespace: str | None = None) -> Object:
            if resource.kind == "HTTPRoute":
                raise error
            return await real(resource, name, namespace)

        monkeypatch.setattr(world.kube, "get", get)
        world.remove("Ingress", NAMESPACE, "app")
        await again(world)
        assert there(world) == {("Ingress", NAMESPACE, "app")}
        assert any("Drift corrected: Ingress/app" in one for one in events(world)), events(world)

    @pytest.mark.parametrize(
        ("says", "expected"),
        [
            (None, "it has not answered yet"),
            ({"status": "False", "reason": "NotAllowedByListeners", "message": "no"}, "NotAllowedByListeners: no"),
            ({"status": "True", "observedGeneration": 7}, "it has not answered yet"),
        ],
    )
    async def test_a_workspace_is_not_ready_until_its_gateway_serves_it(
        self, says: Object | None, expected: str
    ) -> None:
        world = await serving()
        replaced = switch(world)
        world.kube.gateway_says = says
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven", "its former route serves it"
        accept(world)
        await replaced.remove()
        world.remove("HTTPRoute", NAMESPACE, "app")
        await again(world)
        assert condition(world, "RouteReady") == "False RouteNotAccepted"
        assert condition(world, "Ready") == "False RouteNotAccepted"
        said = world.kube.objects["Tenant", None, "acme"]["status"]["message"]
        assert said == f"Gateway projectcontour/platform, listener workspaces, does not serve the route: {expected}"
        accept(world)
        await again(world)
        assert condition(world, "Ready") == "True Proven"

    async def test_and_back(self) -> None:
        world = await serving()
        switch(world)
        await world.reconcile()
        replaced = switch(world, None)
        await world.reconcile()
        assert await replaced.remove() == 0
        assert there(world) == {("Ingress", NAMESPACE, "app")}

    async def test_a_suspended_tenants_go_at_once(self) -> None:
        """They would lead to pods again, whose Service is still there; and its page is the wildcard's."""
        world = await served()
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()
        world.put({**ingress_of(IDENT), "spec": {}})
        replaced = switch(world)
        assert await replaced.remove() == 0
        assert there(world) == set()

    async def test_those_of_a_tenant_that_is_gone_too(self) -> None:
        world = await serving()
        world.remove("Tenant", None, "acme")
        assert await switch(world).remove() == 0
        assert there(world) == set()

    @pytest.mark.parametrize(
        ("name", "namespace", "label"),
        [
            ("app", "shop", IDENT),
            ("other", NAMESPACE, IDENT),
            ("app", "tenant-developers", "production"),
            ("app", NAMESPACE, "aaaaaaaaaa"),
        ],
    )
    async def test_objects_of_others_stay_whatever_their_labels_are(
        self, name: str, namespace: str, label: str
    ) -> None:
        world = World()
        meta = {"name": name, "namespace": namespace, "labels": {LABEL_TENANT: label}}
        world.put({"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "metadata": meta})
        assert await switch(world).remove() == 0
        assert there(world) == {("Ingress", namespace, name)}

    @pytest.mark.parametrize("error", UNKNOWN, ids=str)
    async def test_a_cluster_without_the_gateway_api_is_the_usual_case(
        self, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = await serving()

        async def unknown(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(world.kube, "list_as", unknown)
        assert await ReplacedRoutes(world.services).remove() == 0

    @pytest.mark.parametrize("error", UNKNOWN, ids=str)
    async def test_one_that_cannot_be_deleted_is_told_and_tried_again(
        self, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = await serving()
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()
        world.put(ingress_of(IDENT))

        async def refused(*_: object, **__: object) -> None:
            raise error

        real = world.kube.delete
        monkeypatch.setattr(world.kube, "delete", refused)
        replaced = switch(world)
        assert await replaced.remove() == 1
        assert "deleting a replaced route failed: " in caplog.text
        monkeypatch.setattr(routes, "AGAIN_SECONDS", 0.001)
        async with running(replaced.run()):
            monkeypatch.setattr(world.kube, "delete", real)
            await until(lambda: there(world) == set())


class TestOrphans:
    @pytest.mark.parametrize(
        ("gateway", "expected"),
        [
            (
                None,
                {
                    (f"tenant-{IDENT}", "vivero-system"),
                    (f"tenant-{IDENT}-issued", "vivero-system"),
                    ("app", NAMESPACE),
                    ("hosts", NAMESPACE),
                    ("hosts-issued", NAMESPACE),
                },
            ),
            (PLATFORM, {("app", NAMESPACE)}),
        ],
        ids=["ingress", "gateway"],
    )
    async def test_every_route_of_an_orphan_is_closed(
        self, gateway: Gateway | None, expected: set[tuple[str, str]]
    ) -> None:
        world = World()
        switch(world, gateway)
        kind = routes.of(world.settings).resource
        for name, namespace in expected:
            meta = {"name": name, "namespace": namespace, "labels": {LABEL_TENANT: IDENT}}
            world.put({"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta})
        asked = list[None]()
        await OrphanReconciler(world.services, lambda: asked.append(None)).reconcile(IDENT)
        assert there(world) == set()
        assert len(asked) == 1
        assert set(world.kube.writes) == {f"delete {kind.kind} {namespace}/{name}" for name, namespace in expected}


def ingress_of(ident: str) -> Object:
    meta = {"name": "app", "namespace": f"tenant-{ident}", "labels": {LABEL_TENANT: ident}}
    return {"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "metadata": meta}
