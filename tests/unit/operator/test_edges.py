# ruff: noqa: ANN401  what is any JSON value here
"""The program's edges: HTTP to tenants and from kubelet, logs, settings, handlers, backing servers, status patches."""

import asyncio
import base64
import contextlib
import dataclasses
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast
from unittest.mock import patch

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from reconcile.world import NOW, PLAN, SERVER, World, tenant_body
from support.reports import taking_reports
from unit.operator.made import KIND_SPECS
from vivero_core.backends.kube.client import Change, Listing, Object
from vivero_core.backends.kube.resources import DATABASE_SERVER, NAMESPACE, SECRET, TENANT, Resource
from vivero_core.model.constants import LABEL_TENANT
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import OwnerStatus, Tenant, TenantStatus
from vivero_operator import data_plane, health, logs
from vivero_operator.data_plane import DataPlaneClient, Owner, Workspace
from vivero_operator.errors import DataPlaneRefusedError, DataPlaneUnavailableError
from vivero_operator.handlers import missed_deletions, pods, tenants
from vivero_operator.instance import TenantKeys
from vivero_operator.reconcile import circuit_breaker, database_server, plan
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.database_server import DatabaseServerReconciler
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.steps.secrets import joined
from vivero_operator.reconcile.writing import patch_of
from vivero_operator.settings import Settings

OWNER = Owner("a@b.co", "a", "$argon2id$", None)
WORKSPACE = Workspace("Acme", "https://acme.example")


def pod_of(tenant_id: str, *, ready: bool) -> Pod:
    """As the watch tells of a pod."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    metadata = {"name": "app-1", "namespace": "ns", "labels": {LABEL_TENANT: tenant_id}}
    return Pod.parse({"metadata": metadata, "status": {"podIP": "10.0.0.9", "conditions": conditions}})


class FakePod:
    """Answers like a data plane, as told."""

    def __init__(self) -> None:
        self.status, self.body, self.seen = 200, "{}", list[Any]()

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.seen.append((request.method, request.path, request.headers.get("Authorization"), body))
        return web.Response(status=self.status, text=self.body, content_type="application/json")


_FIELDS = ["email", "ok", "field", "message", "name", "public_url"]


@contextlib.asynccontextmanager
async def answering(status: int, body: str) -> AsyncIterator[DataPlaneClient]:
    fake = FakePod()
    fake.status, fake.body = status, body
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    async with TestServer(app) as server, DataPlaneClient(timeout=5) as client:
        with patch.object(data_plane, "APP_PORT", server.port):
            yield client


@pytest.fixture
async def pod(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakePod]:
    fake = FakePod()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    async with TestServer(app) as server:
        monkeypatch.setattr(data_plane, "APP_PORT", server.port)
        yield fake


@pytest.fixture
async def client() -> AsyncIterator[DataPlaneClient]:
    async with DataPlaneClient(timeout=2) as one:
        yield one


class TestDataPlane:
    @pytest.mark.parametrize("status", [200, 201])
    async def test_owner(self, pod: FakePod, client: DataPlaneClient, status: int) -> None:
        pod.status, pod.body = status, json.dumps({"owner": {"email": "a@b.co", "created": True, "changed": False}})
        assert await client.put_workspace("127.0.0.1", "token", WORKSPACE, OWNER) == "a@b.co"
        method, path, authorization, body = pod.seen[0]
        assert (method, path, authorization) == ("PUT", "/internal/v1/workspace", "Bearer token")
        owner = {"email": "a@b.co", "name": "a", "password_hash": "$argon2id$", "replaces": None}
        assert json.loads(body) == {"name": "Acme", "public_url": "https://acme.example", "owner": owner}

    @pytest.mark.parametrize("answer", ['{"owner": null}', "{}", '{"owner": {}}', "[]"])
    async def test_a_name_without_an_account(self, pod: FakePod, client: DataPlaneClient, answer: str) -> None:
        pod.body = answer
        assert await client.put_workspace("127.0.0.1", "token", WORKSPACE, None) is None
        assert json.loads(pod.seen[0][3])["owner"] is None

    @given(
        status=st.sampled_from([200, 201, 400, 409, 422, 500, 503]),
        body=st.one_of(
            st.text(max_size=50),
            st.just("[" * 100_000),
            st.just('{"version": "' + "v" * 200_000 + '"}'),
            st.fixed_dictionaries(
                {},
                optional={
                    name: st.recursive(
                        st.none() | st.booleans() | st.integers() | st.text(max_size=300),
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner),
                        max_leaves=6,
                    )
                    for name in ("owner", "errors", "detail", "ok", "version", "workspace", "database", "storage")
                },
            ).map(json.dumps),
        ),
    )
    async def test_a_pod_may_answer_anything(self, status: int, body: str) -> None:
        """What runs in a tenant's pod may be broken, or an image of someone else's making."""
        async with answering(status, body) as client:
            said = ""
            try:
                email = await client.put_workspace("127.0.0.1", "token", WORKSPACE, OWNER)
                OwnerStatus(email=email)
            except (DataPlaneRefusedError, DataPlaneUnavailableError) as error:
                said = str(error)
            assert len(said) < 600
            with contextlib.suppress(DataPlaneUnavailableError):
                proof = await client.proof("127.0.0.1", "token", None)
                TenantStatus(version=proof.version)

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            (422, {"errors": [{"field": "owner.email", "message": "is no address"}]}, "owner.email is no address"),
            (409, {"detail": "There is another owner."}, "There is another owner"),
            (400, {}, "status 400"),
        ],
    )
    async def test_a_refusal_says_why(
        self, pod: FakePod, client: DataPlaneClient, status: int, body: dict[str, Any], words: str
    ) -> None:
        pod.status, pod.body = status, json.dumps(body)
        with pytest.raises(DataPlaneRefusedError, match=words):
            await client.put_workspace("127.0.0.1", "token", WORKSPACE, OWNER)

    @pytest.mark.parametrize("status", [401, 404, 500, 503])
    async def test_any_other_answer_is_none(self, pod: FakePod, client: DataPlaneClient, status: int) -> None:
        pod.status = status
        with pytest.raises(DataPlaneUnavailableError, match=f"status {status}"):
            await client.put_workspace("127.0.0.1", "token", WORKSPACE, OWNER)

    async def test_proof(self, pod: FakePod, client: DataPlaneClient) -> None:
        parts = {"database": {"ok": True}, "storage": {"ok": False}, "cache": None}
        pod.status, pod.body = 503, json.dumps({"ok": False, "version": "1.2", **parts})
        proof = await client.proof("127.0.0.1", "token", None)
        assert (proof.ok, proof.version, proof.failing) == (False, "1.2", ("storage", "cache"))
        pod.status = 200
        pod.body = json.dumps({"ok": True, **{name: {"ok": True} for name in parts}})
        proof = await client.proof("127.0.0.1", "token", None)
        assert (proof.ok, proof.version, proof.failing) == (True, None, ())

    @pytest.mark.parametrize(("status", "body"), [(401, "{}"), (500, "<html>"), (302, "")])
    async def test_no_proof(self, pod: FakePod, client: DataPlaneClient, status: int, body: str) -> None:
        pod.status, pod.body = status, body
        with pytest.raises(DataPlaneUnavailableError, match=str(status)):
            await client.proof("127.0.0.1", "token", None)

    @pytest.mark.parametrize("body", ["not json", "[1]", ""])
    async def test_an_answer_that_is_no_object_proves_nothing(
        self, pod: FakePod, client: DataPlaneClient, body: str
    ) -> None:
        pod.body = body
        assert not (await client.proof("127.0.0.1", "token", None)).ok

    async def test_nobody_there(self, client: DataPlaneClient, unused_tcp_port: int, monkeypatch: Any) -> None:
        monkeypatch.setattr(data_plane, "APP_PORT", unused_tcp_port)
        for address in ("127.0.0.1", "::1"):
            with pytest.raises(DataPlaneUnavailableError, match="no response"):
                await client.proof(address, "token", "abcdefghij")

    async def test_a_closed_client(self) -> None:
        with pytest.raises(DataPlaneUnavailableError, match="closed"):
            await DataPlaneClient().proof("127.0.0.1", "token", None)


class TestHealth:
    @contextlib.asynccontextmanager
    async def asked(self, heartbeat: health.Heartbeat) -> AsyncIterator[TestClient[Any, Any]]:
        async with TestClient(TestServer(health.application(heartbeat))) as client:
            yield client

    async def test_alive_while_the_watch_brings_news(self) -> None:
        now = [0.0]
        heartbeat = health.Heartbeat(lambda: now[0])
        async with self.asked(heartbeat) as client:
            assert (await client.get("/healthz")).status == 200
            now[0] = health.STALE_SECONDS + 1
            assert (await client.get("/healthz")).status == 503
            heartbeat.beat()
            assert (await client.get("/healthz")).status == 200

    async def test_alive_while_the_api_server_is_away(self) -> None:
        now = [0.0]
        heartbeat = health.Heartbeat(lambda: now[0])
        async with self.asked(heartbeat) as client:
            for _ in range(10):
                now[0] += health.STALE_SECONDS - 1
                heartbeat.excuse()
            assert (await client.get("/healthz")).status == 200
            assert (await client.get("/readyz")).status == 503

    async def test_ready_when_the_cluster_was_seen(self) -> None:
        heartbeat = health.Heartbeat()
        async with self.asked(heartbeat) as client:
            assert (await client.get("/readyz")).status == 503
            heartbeat.beat()
            assert (await client.get("/readyz")).status == 200

    async def test_metrics(self) -> None:
        async with self.asked(health.Heartbeat()) as client:
            assert "vivero_queue_depth" in await (await client.get("/metrics")).text()

    async def test_serving(self, unused_tcp_port: int) -> None:
        async with (
            health.serving(health.Heartbeat(), "127.0.0.1", unused_tcp_port),
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{unused_tcp_port}/healthz") as answer,
        ):
            assert answer.status == 200


@pytest.fixture
def unused_tcp_port() -> int:
    import socket  # noqa: PLC0415  for this fixture alone

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, level = before[0], before[1]
    root.setLevel(level)


@pytest.mark.usefixtures("restored_logging")
def test_logs_are_json_with_our_fields_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    logging.getLogger("some.library").info("hello %s", "world", extra={"tenant": "acme", "settings": "secret"})
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["tenant"], line["level"]) == ("hello world", "acme", "info")
    assert "settings" not in line


@pytest.mark.usefixtures("restored_logging")
def test_errors_are_reported_with_ids_and_without_words(capsys: pytest.CaptureFixture[str]) -> None:
    with taking_reports() as sentry:
        settings = Settings(data_plane_image="image:1", sentry_dsn=SecretStr(sentry.dsn))
        with logs.reporter_of(settings) as reporter:
            logs.configure("INFO", reporter=reporter)
            log, extra = (
                logging.getLogger("vivero_operator.part"),
                {"tenant": "acme", "id": "u5g5446au3", "because": "hunter2"},
            )
            log.warning("seen")
            try:
                raise ValueError("hunter2")  # noqa: TRY301  the words are the point
            except ValueError:
                log.exception("pass over %s failed", "hunter2", extra=extra)
    (event,) = sentry.events
    assert event["logentry"] == {"message": "pass over %s failed"}
    assert event["tags"] == {"tenant": "acme", "id": "u5g5446au3"}
    assert (event["server_name"], event["logger"]) == ("vivero-operator", "vivero_operator.part")
    assert "hunter2" not in sentry.text
    assert sentry.dsn not in capsys.readouterr().err


class TestSettings:
    @pytest.mark.parametrize("name", ["SENTRY_DSN", "OTLP_HEADERS"])
    def test_a_secret_that_is_none_is_refused_without_its_words(
        self, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv("VIVERO_DATA_PLANE_IMAGE", "image:2")
        monkeypatch.setenv(f"VIVERO_{name}", "hunter2")
        with pytest.raises(ValidationError) as refused:
            Settings()
        assert "hunter2" not in str(refused.value)

    def test_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VIVERO_DATA_PLANE_IMAGE", "image:2")
        monkeypatch.setenv("VIVERO_EGRESS_CIDRS", '["10.0.0.0/8"]')
        settings = Settings()
        assert settings.egress_cidrs == ("10.0.0.0/8",)
        assert settings.public_host("acme") == "acme.vivero.localhost"

    @pytest.mark.parametrize(("name", "value"), [("PUBLIC_PORT", "0"), ("LOG_LEVEL", "LOUD"), ("CONCURRENCY", "x")])
    def test_bad_values_stop_the_start(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        monkeypatch.setenv("VIVERO_DATA_PLANE_IMAGE", "image:2")
        monkeypatch.setenv(f"VIVERO_{name}", value)
        with pytest.raises(ValidationError):
            Settings()

    def test_the_image_has_to_be_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VIVERO_DATA_PLANE_IMAGE", raising=False)
        with pytest.raises(ValidationError):
            Settings()


@pytest.fixture
def context() -> HandlerContext:
    return HandlerContext(Cluster(), WorkQueue[Key](), ReconcileState(), health.Heartbeat())


async def queued(context: HandlerContext) -> list[str]:
    names = []
    while len(context.queue):
        key = await context.queue.get()
        context.queue.done(key)
        names.append(f"{key.kind} {key.name}")
    return sorted(names)


def tenant(name: str = "acme", *, generation: int = 1, ready: str | None = None, **meta: Any) -> Tenant:
    body = tenant_body(name)
    body["metadata"] |= {"uid": f"uid-{name}", "generation": generation, **meta}
    if ready:
        condition = {"type": "Ready", "status": "False", "reason": ready, "lastTransitionTime": "2026-11-22T12:00:00Z"}
        body["status"] = {"conditions": [condition], "databaseServer": "main"}
    return Tenant.parse(body)


class TestHandlers:
    async def test_a_change_is_work_and_an_echo_is_not(self, context: HandlerContext) -> None:
        tenants.observe(context, tenant())
        assert await queued(context) == ["Tenant acme"]
        tenants.observe(context, tenant(resourceVersion="2", ready="Starting"))
        assert await queued(context) == []
        tenants.observe(context, tenant(generation=2, resourceVersion="3"))
        assert await queued(context) == ["Tenant acme"]
        tenants.observe(context, tenant(generation=2, resourceVersion="4", deletionTimestamp="2026-11-22T12:00:00Z"))
        assert await queued(context) == ["Tenant acme"]

    async def test_after_a_start_those_that_are_well_have_time(self, context: HandlerContext) -> None:
        """Tenants, their plan, their server and their pods all come by once."""
        well = {
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "Proven", "lastTransitionTime": NOW.isoformat()}
            ],
            "observedGeneration": 1,
            "databaseServer": "main",
            "url": "https://acme.example",
        }
        waits = tenant("waits", ready="Starting")
        acme = Tenant.parse({**tenant_body(), "status": well})
        for one in (acme, waits):
            context.cluster.tenants.put(one)
        plan.observe(context, Plan.parse({**PLAN, "metadata": {"name": "trial", "uid": "p", "generation": 1}}))
        database_server.observe(
            context, DatabaseServer.parse({**SERVER, "metadata": {"name": "main", "uid": "s", "generation": 1}})
        )
        tenants.observe(context, acme)
        tenants.observe(context, waits)
        pods.observe(context, pod_of(acme.id, ready=True))
        assert await queued(context) == ["DatabaseServer main", "Plan trial", "Tenant waits"]
        pods.observe(context, pod_of(acme.id, ready=False))
        assert await queued(context) == ["Tenant acme"]

    async def test_a_tenant_on_its_way_out_waits_for_its_namespace_alone(self, context: HandlerContext) -> None:
        going = tenant(deletionTimestamp="2026-11-22T12:00:00Z")
        context.cluster.tenants.put(going)
        context.touched(going.id, SECRET)
        context.suspect(going.id, "database")
        assert await queued(context) == []
        context.touched(going.id, NAMESPACE)
        assert await queued(context) == ["Tenant acme"]
        context.move(going)
        assert await queued(context) == ["Tenant acme"]

    async def test_missed_deletions_are_found(self, context: HandlerContext) -> None:
        for name, version in (("stays", "5"), ("gone", "5"), ("newer-than-the-list", "9")):
            one = tenant(name, resourceVersion=version)
            context.cluster.tenants.put(one)

        class Listed:
            async def list_as(self, kind: Resource, view: Callable[[Object], str], **_: object) -> Listing[str]:
                assert kind == TENANT
                return Listing([view({"metadata": {"uid": "uid-stays"}})], "7")

        await missed_deletions.find(cast("Any", Listed()), context, KIND_SPECS["Tenant"])
        assert sorted(one.name for one in context.cluster.tenants) == ["newer-than-the-list", "stays"]

    async def test_what_one_gives_up_another_gets(self, context: HandlerContext) -> None:
        context.cluster.tenants.put(tenant("blocked", ready="SlugTaken"))
        context.cluster.tenants.put(tenant("fine", ready="Proven"))
        tenants.observe(context, tenant())
        await queued(context)
        tenants.forget(context, tenant().metadata)
        assert await queued(context) == [f"Orphan {tenant().id}", "Tenant acme", "Tenant blocked"]
        assert context.cluster.tenants.get("acme") is None

    async def test_a_plan_is_work_for_its_tenants(self, context: HandlerContext) -> None:
        context.cluster.tenants.put(tenant())
        body = {**PLAN, "metadata": {"name": "trial", "uid": "p", "generation": 1}}
        plan.observe(context, Plan.parse(body))
        assert await queued(context) == ["Plan trial", "Tenant acme"]
        plan.observe(context, Plan.parse(body))
        assert await queued(context) == []
        plan.forget(context, Plan.parse(body).metadata)
        assert await queued(context) == ["Plan trial", "Tenant acme"]

    async def test_a_server_is_work_for_who_is_on_it_or_waits_for_one(self, context: HandlerContext) -> None:
        context.cluster.tenants.put(tenant("on-it", ready="Proven"))
        context.cluster.tenants.put(tenant("waits", ready="NoDatabaseServer"))
        context.cluster.tenants.put(tenant("new"))
        server = DatabaseServer.parse({**SERVER, "metadata": {"name": "main", "uid": "s", "generation": 1}})
        database_server.observe(context, server)
        assert await queued(context) == ["DatabaseServer main", "Tenant on-it", "Tenant waits"]
        database_server.observe(context, server)
        assert await queued(context) == []
        database_server.forget(context, server.metadata)
        assert await queued(context) == ["DatabaseServer main", "Tenant on-it", "Tenant waits"]

    async def test_a_list_of_pods_tells_who_is_gone(self, context: HandlerContext) -> None:
        context.cluster.tenants.put(tenant())
        pod = pod_of(tenant().id, ready=True)
        assert not context.pods_listed.is_set()
        pods.take(context, Listing([pod, dataclasses.replace(pod, name="app-2")], "1"))
        assert context.pods_listed.is_set()
        assert await queued(context) == ["Tenant acme"]
        pods.take(context, Listing([pod], "5"))
        assert context.cluster.pods(tenant().id) == [pod]
        assert await queued(context) == ["Tenant acme"]
        pods.take(context, Change("DELETED", pod))
        assert context.cluster.pods(tenant().id) == []
        assert await queued(context) == ["Tenant acme"]
        pods.take(context, Change("ADDED", pod))
        assert context.cluster.pods(tenant().id) == [pod]

    async def test_pods(self, context: HandlerContext) -> None:
        context.cluster.tenants.put(tenant())
        pod = pod_of(tenant().id, ready=True)
        pods.observe(context, pod)
        assert await queued(context) == ["Tenant acme"]
        pods.observe(context, pod)
        assert await queued(context) == []
        pods.forget(context, pod)
        assert await queued(context) == ["Tenant acme"]
        made = dataclasses.replace(pod, name="app-2", ready=False, running=False, ip=None)
        pods.observe(context, made)
        pods.observe(context, dataclasses.replace(made, ip="10.0.0.9"))
        assert await queued(context) == []
        pods.observe(context, dataclasses.replace(made, ip="10.0.0.9", running=True))
        assert await queued(context) == ["Tenant acme"]
        pods.observe(context, dataclasses.replace(made, ip="10.0.0.9", running=True, asked=True))
        assert await queued(context) == []
        pods.observe(context, pod_of("nobody", ready=False))
        assert await queued(context) == []


class TestDatabaseServer:
    def reconciler(self, world: World, woken: list[str]) -> DatabaseServerReconciler:
        return DatabaseServerReconciler(world.services, woken.append, lambda: woken.append("sweep"))

    async def test_health_and_count(self) -> None:
        world, woken = World(), list[str]()
        world.put(SERVER)
        reconciler = self.reconciler(world, woken)
        assert (await reconciler.reconcile("main")).retry_after == 30
        status = (await world.kube.get(DATABASE_SERVER, "main"))["status"]
        assert (status["version"], status.get("tenants", 0)) == ("10.11.14-MariaDB", 0)
        assert status["conditions"][0]["status"] == "True"
        assert woken == ["main", "sweep"]
        world.kube.writes.clear()
        await reconciler.reconcile("main")
        assert world.kube.writes == []

    async def test_a_server_that_goes_and_comes(self) -> None:
        world, woken = World(), list[str]()
        world.put(SERVER)
        reconciler = self.reconciler(world, woken)
        await reconciler.reconcile("main")
        world.backends.servers["main"].down = True
        assert (await reconciler.reconcile("main")).failed
        condition = (await world.kube.get(DATABASE_SERVER, "main"))["status"]["conditions"][0]
        assert (condition["status"], condition["reason"]) == ("False", "Unreachable")
        world.backends.servers["main"].down = False
        await reconciler.reconcile("main")
        assert woken == ["main", "sweep"] * 2

    async def test_one_that_is_gone(self) -> None:
        world, woken = World(), list[str]()
        world.put(SERVER)
        reconciler = self.reconciler(world, woken)
        del world.kube.objects["DatabaseServer", None, "main"]
        await reconciler.reconcile("main")
        woken.clear()
        assert (await reconciler.reconcile("other")).retry_after is None
        assert woken == ["sweep"], "what it showed of orphans another one shows"


def test_status_patches_say_only_what_changed() -> None:
    old = TenantStatus(id="abcdefghij", url="https://a", version="1")
    assert patch_of(old, old) == {}
    assert patch_of(old, old.model_copy(update={"version": "2"})) == {"version": "2"}
    assert patch_of(old, old.model_copy(update={"url": None})) == {"url": None}


class TestKeys:
    HEX = "ab" * 32

    def live(self, **values: str) -> dict[str, Any]:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        return {"database": {"data": {"password": encoded["password"]}}, "app": {"data": encoded}}

    def test_kept_and_only_missing_ones_are_made(self) -> None:
        live = self.live(password="kept", signing_key=self.HEX)
        one, two = (joined(live, None, new_file_key=True) for _ in range(2))
        assert one is not None
        assert two is not None
        assert one.database_password == two.database_password == "kept"
        assert one.signing_key == self.HEX
        assert one.cache_password != two.cache_password
        assert len(one.operator_token) == len(one.file_key) == 64

    def test_a_file_key_is_never_made_unasked(self) -> None:
        assert joined(self.live(password="kept"), None, new_file_key=False) is None

    def test_the_escrow_has_the_last_word_on_the_file_key_alone(self) -> None:
        escrowed = TenantKeys(*(f"{digit}" * 64 for digit in range(6)))
        live = self.live(password="changed", file_key="ff" * 32, signing_key="ee" * 32)
        found = joined(live, escrowed, new_file_key=False)
        assert found is not None
        assert (found.database_password, found.signing_key) == ("changed", "ee" * 32)
        assert (found.file_key, found.cache_password) == (escrowed.file_key, escrowed.cache_password)

    @pytest.mark.parametrize("odd", ["", "short", "zz" * 32, "\n"])
    def test_what_no_program_could_use_counts_as_missing(self, odd: str) -> None:
        escrowed = TenantKeys(*(f"{digit}" * 64 for digit in range(6)))
        found = joined(self.live(password="kept", signing_key=odd), escrowed, new_file_key=False)
        assert found is not None
        assert found.signing_key == escrowed.signing_key


async def test_a_signup_is_urgent_for_servers_and_when_it_comes_back() -> None:
    world, seen = World(), list[bool]()
    for manifest in (PLAN, SERVER, tenant_body()):
        world.put(manifest)
    server = world.backends.servers["main"]
    real = server.ensure_database
    server.ensure_database = lambda database: seen.append(circuit_breaker.URGENT.get()) or real(database)  # type: ignore[method-assign, func-returns-value]
    assert (await world.reconcile()).urgent
    assert seen == [True]


async def test_reconciling_what_is_gone_does_nothing() -> None:
    world = World()
    await world.reconcile("nobody")
    assert world.kube.writes == []
    await asyncio.sleep(0)


async def test_a_tenant_that_was_changed_meanwhile_is_looked_at_again() -> None:
    world = World()
    world.put(PLAN)
    world.put(SERVER)
    world.put(tenant_body())
    world.kube.put({**tenant_body(), "metadata": {**tenant_body()["metadata"], "labels": {"new": "one"}}})
    result = await world.reconcile()
    assert (result.failed, result.retry_after) == (False, 0.2)
    assert not any("Namespace" in write for write in world.kube.writes)
    assert not (await world.reconcile()).failed
    assert ("Namespace", None, f"tenant-{(await world.tenant()).id}") in world.kube.objects
