"""Cross-cutting behaviour: rate limits, headers, health, OpenAPI document, migrations, unavailable systems."""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pymysql
import pytest
from integration.control_plane.support import ADMIN, DOMAIN, Names, TestClock, eventually, listening, signup_body
from prometheus_client import generate_latest
from vivero_control import composition
from vivero_control.db.database import DatabaseUnavailableError
from vivero_control.db.migrate import migrate
from vivero_control.domain.staff.schemas import Login
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.settings import Settings
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant
from vivero_web import migration_lock
from vivero_web.errors import UnavailableError
from vivero_web.tokens import new_session

HOST = {"Host": DOMAIN}
Ask = Callable[..., list[tuple[Any, ...]]]


def changed(settings: Settings, **parts: dict[str, Any]) -> Settings:
    return settings.model_copy(
        update={part: getattr(settings, part).model_copy(update=values) for part, values in parts.items()}
    )


@pytest.fixture(scope="module")
def strict(settings: Settings, clock: TestClock) -> Iterator[str]:
    with listening(changed(settings, limits={"requests_per_minute": 5}), clock) as address:
        yield address


def from_address(base: str, address: str) -> httpx.Client:
    return httpx.Client(base_url=base, headers=HOST | {"X-Forwarded-For": f"1.1.1.1, {address}"}, timeout=10)


def test_the_sixth_request_of_an_address_is_rate_limited(strict: str) -> None:
    with from_address(strict, "203.0.113.1") as one, from_address(strict, "203.0.113.2") as two:
        answers = [one.get("/api/v1/plans") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert [answer.headers["ratelimit"] for answer in answers] == [
            f'"requests";r={left}' for left in (4, 3, 2, 1, 0, 0)
        ]
        refused = answers[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert 0 < int(refused.headers["retry-after"]) <= 66
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert two.get("/api/v1/plans").status_code == 200
        assert one.get("/healthz").status_code == one.get("/readyz").status_code == 200


def test_the_count_is_shared_between_processes(settings: Settings, clock: TestClock) -> None:
    limited = changed(settings, limits={"requests_per_minute": 5})
    with (
        listening(limited, clock) as first,
        listening(limited, clock) as second,
        from_address(first, "203.0.113.3") as one,
        from_address(second, "203.0.113.3") as two,
    ):
        statuses = [client.get("/nowhere").status_code for client in (one, two) * 3]
    assert statuses == [404] * 5 + [429]


def test_without_valkey_requests_are_served_and_still_counted(settings: Settings, clock: TestClock) -> None:
    alone = changed(settings, limits={"requests_per_minute": 3}, cache={"port": 1})
    with listening(alone, clock) as address, from_address(address, "203.0.113.4") as client:
        assert [client.get("/api/v1/plans").status_code for _ in range(4)] == [200, 200, 200, 429]


async def test_a_signup_needs_no_valkey(settings: Settings, clock: TestClock, names: Names) -> None:
    with (
        listening(changed(settings, cache={"port": 1}), clock) as address,
        from_address(address, "203.0.113.5") as client,
    ):
        assert client.post("/api/v1/signups", json=signup_body(names.new())).status_code == 202


async def test_without_a_database_it_is_not_ready(settings: Settings, clock: TestClock, kube: KubeClient) -> None:
    broken = changed(settings, database={"port": 1})
    with listening(broken, clock, ready=503) as address, from_address(address, "203.0.113.6") as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").json()["database"] is False
        signup = client.post("/api/v1/signups", json=signup_body("no-database"))
        assert (signup.status_code, signup.headers["content-type"]) == (503, "application/problem+json")
        assert int(signup.headers["retry-after"]) > 0
        assert "127.0.0.1" not in signup.text
    assert "no-database" not in {one["metadata"]["name"] for one in (await kube.list(TENANT)).items}


def test_a_full_process_refuses_another_stream(
    client: httpx.Client, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise ClusterUnavailableError

    # A signup that waits: with a warm spare it would be ready, and its streams ended, before we ask for the fourth.
    monkeypatch.setattr(TenantRepository, "create_password_secret", away)
    view = client.post("/api/v1/signups", json=signup_body(names.new())).json()
    path = f"/api/v1/signups/{view['id']}/events"
    with client.stream("GET", path) as one, client.stream("GET", path) as two, client.stream("GET", path) as three:
        lines = [stream.iter_lines() for stream in (one, two, three)]
        assert all(next(iterator) for iterator in lines)
        assert client.get(path).status_code == 503
    eventually(lambda: room(client, path))


def room(client: httpx.Client, path: str) -> bool:
    """Wait until slots of closed streams are free again."""
    with client.stream("GET", path) as stream:
        return stream.status_code == 200


def test_headers_of_every_answer(client: httpx.Client) -> None:
    for path in ("/", "/api/v1/plans", "/api/v1/nowhere", "/schema"):
        headers = client.get(path, headers={"X-Request-ID": "from-the-proxy-1"}).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "max-age" in headers["strict-transport-security"]
        assert headers["x-request-id"] == "from-the-proxy-1"
        assert "cache-control" in headers
        assert "access-control-allow-origin" not in headers
    assert client.get("/api/v1/plans").headers["cache-control"] == "max-age=300, public"
    assert client.get("/api/v1/nowhere").headers["cache-control"] == "no-store"


def test_a_page_of_an_allowed_origin_may_call_every_operation(settings: Settings, clock: TestClock) -> None:
    allowed, foreign = "https://www.example.com", "https://elsewhere.example.com"
    with (
        listening(settings.model_copy(update={"cors_origins": [allowed]}), clock) as address,
        from_address(address, "203.0.113.7") as client,
    ):
        paths = client.get("/schema/openapi.json").json()["paths"]
        asked = [
            (
                path,
                method.upper(),
                {one["name"].lower() for one in operation.get("parameters", ()) if one["in"] == "header"},
            )
            for path, operations in paths.items()
            for method, operation in operations.items()
        ]
        assert {method for _, method, _ in asked} > {"GET", "POST"}
        for path, method, headers in asked:
            preflight = {
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": ", ".join({"authorization", "content-type", *headers}),
            }
            answer = client.options(path, headers={"Origin": allowed, **preflight})
            assert answer.is_success, (path, method, answer.text)
            assert method in answer.headers["access-control-allow-methods"]
            assert client.options(path, headers={"Origin": foreign, **preflight}).is_client_error
        read = client.get("/api/v1/plans", headers={"Origin": allowed})
        assert read.headers["access-control-allow-origin"] == allowed
        exposed = {name.strip() for name in read.headers["access-control-expose-headers"].split(",")}
        assert exposed >= {"ratelimit", "retry-after", "x-request-id", "location"}


def test_errors_are_problems_for_programs_and_pages_for_people(client: httpx.Client) -> None:
    assert client.get("/nowhere", headers={"Accept": "text/html"}).headers["content-type"].startswith("text/html")
    assert (
        client.get("/api/v1/nowhere", headers={"Accept": "text/html"}).headers["content-type"]
        == "application/problem+json"
    )
    wrong_method = client.put("/api/v1/signups")
    assert (wrong_method.status_code, wrong_method.json()["status"]) == (405, 405)


def test_the_schema_describes_the_interface(client: httpx.Client) -> None:
    document = client.get("/schema").json()
    assert client.get("/schema/openapi.json").json() == document
    paths = document["paths"]
    assert {"/api/v1/signups", "/api/v1/signups/{signup_id}", "/api/v1/plans", "/api/v1/auth/login"} <= set(paths)
    assert paths["/api/v1/tenants"]["get"]["security"]
    assert "/signup" not in paths
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation.get("summary"), f"{method} {path}"


def test_metrics_are_not_public_and_name_routes_not_paths(client: httpx.Client) -> None:
    client.get("/api/v1/signups/0123456789abcdef0123456789abcdef")
    answer = client.get("/metrics")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    text = generate_latest().decode()
    assert "vivero_control_requests_total" in text
    assert "0123456789abcdef" not in text


def test_migrations_are_idempotent(settings: Settings, sql: Ask) -> None:
    def schema() -> list[list[tuple[Any, ...]]]:
        return [
            sql("SELECT * FROM alembic_version"),
            *(
                sql(f"SELECT {what} WHERE table_schema = DATABASE() ORDER BY 1, 2")
                for what in (
                    "table_name, create_time FROM information_schema.tables",
                    "table_name, column_name, column_type FROM information_schema.columns",
                )
            ),
        ]

    before = schema()
    migrate(settings)
    assert schema() == before
    assert all(before)


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivero_control.db.migrate.LOCK_SECONDS", 1)
    monkeypatch.setattr("vivero_control.db.migrate.PATIENCE_SECONDS", 0.1)


@pytest.mark.usefixtures("_hurried")
def test_a_tenants_named_lock_does_not_block_a_migration(
    settings: Settings, admin_sql: "pymysql.Connection[Any]"
) -> None:
    names = ["vivero_control.migrate", f"{settings.database.name}.migrate", "vivero_control", "migration_lock"]
    with admin_sql.cursor() as anybody:
        for name in names:
            anybody.execute("SELECT GET_LOCK(%s, 0)", (name,))
        try:
            migrate(settings)
        finally:
            anybody.execute("SELECT RELEASE_ALL_LOCKS()")


@pytest.mark.usefixtures("_hurried")
def test_concurrent_migrations_are_serialized(settings: Settings, admin_sql: "pymysql.Connection[Any]") -> None:
    with admin_sql.cursor() as first:
        first.execute(f"USE {settings.database.name}")
        first.execute("BEGIN")
        first.execute(migration_lock.TAKE)
        with pytest.raises(DatabaseUnavailableError):
            migrate(settings)
        first.execute("COMMIT")
    migrate(settings)


async def test_without_valkey_a_wake_up_is_only_logged(
    settings: Settings, clock: TestClock, caplog: pytest.LogCaptureFixture
) -> None:
    away = composition.infrastructure(changed(settings, cache={"port": 1}), clock)
    away.wake_up.notify()
    await asyncio.to_thread(eventually, lambda: "publishing the wake-up failed" in caplog.text)
    await away.cache.aclose()
    await away.wake_up.close()
    await away.database.close()
    away.passwords.close()


def test_migrating_gives_up_on_a_database_that_stays_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivero_control.db.migrate.PATIENCE_SECONDS", 0.1)
    with pytest.raises(DatabaseUnavailableError):
        migrate(changed(settings, database={"port": 1}))


async def test_an_unavailable_cluster_is_one_kind_of_error(kubeconfig: Path, names: Names) -> None:
    nowhere = dataclasses.replace(kube_config.load(kubeconfig), server="https://127.0.0.1:1")
    tenant = Tenant.parse(
        {
            "metadata": {"name": names.prefix},
            "spec": {"displayName": "x", "slug": names.prefix, "plan": "trial", "owner": {"email": "a@example.com"}},
        }
    )
    async with KubeClient(nowhere, field_manager="tests", timeout=2) as client:
        tenants = TenantRepository(client, "vivero-signups")
        for call in (
            tenants.find("x"),
            tenants.all(),
            tenants.subjects(),
            tenants.of_signup("x"),
            tenants.create("x", tenant.spec, {}),
            tenants.create_password_secret("signup-x", "hash"),
            tenants.delete_password_secret("signup-x", "uid"),
            tenants.patch(tenant, {"suspended": None}),
        ):
            with pytest.raises(ClusterUnavailableError):
                await call


async def test_without_valkey_sessions_are_unavailable(settings: Settings, clock: TestClock) -> None:
    away = composition.infrastructure(changed(settings, cache={"port": 1}), clock)
    services = composition.services(away)
    member = await services.staff.login(Login(email=ADMIN[0], password=ADMIN[1]), "192.0.2.77")
    value = new_session(clock())
    for call in (services.sessions.open(member), services.sessions.read(value), services.sessions.close(value)):
        with pytest.raises(UnavailableError):
            await call
    assert await services.sessions.read(None) is None
    assert await services.staff.find("no id", member.stamp) is None
    await away.cache.aclose()
    await away.wake_up.close()
    await away.database.close()
    away.passwords.close()
