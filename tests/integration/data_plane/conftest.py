"""A workspace on real services, its application in this process."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pymysql
import pytest
from argon2 import PasswordHasher
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from integration.conftest import tenants_made
from integration.data_plane.stock import Stock
from integration.data_plane.workspace import HOST, OWNER, PASSWORD, VIEW_HOST, Workspace, write_secrets
from litestar import Litestar
from litestar.types import ASGIApp
from support import good
from support.asgi import running, transport_to
from support.hostile import Program
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_data.app import create_routes, serve
from vivero_data.domain.jobs.runner import JobRunner
from vivero_data.domain.report_mails.delivery import ReportMailDelivery
from vivero_data.domain.webhooks.delivery import WebhookDelivery
from vivero_data.lib.cookies import ACCESS, REFRESH
from vivero_data.lib.tokens import AccessClaims, AccessTokens
from vivero_data.settings import Settings, load
from vivero_data.web.page import NOTICE_COOKIE
from vivero_web import clock

# What would end the session or remove what the others work on is tried on nothing.
ENDINGS: Final = ("logout", "/delete", "/remove", "/revoke", "/end")
THERE: Final = {
    "name": "Contacts",
    "record_id": "1",
    "collection_id": "1",
    "user_id": "1",
    "role_id": "1",
    "report_id": "1",
    "sample_id": "1",
    "dashboard_id": "1",
    "index": "0",
    "workspace_id": "x",
    "file_path": "x.css",
    "field": "choice",
    "entry_id": "1",
    "field_id": "3",
    "comment_id": "1",
    "import_id": "1",
    "export_id": "1",
    "schedule_id": "1",
    "token": "1.1.x",
}
NOWHERE: Final = {
    "name": "Nowhere",
    "record_id": "999",
    "collection_id": "999",
    "user_id": "999",
    "role_id": "999",
    "report_id": "999",
    "dashboard_id": "999",
    "import_id": "999",
    "export_id": "999",
    "schedule_id": "999",
    "token": "9.9.x",
    "sample_id": "999",
    "key_id": "999",
    "webhook_id": "999",
    "grant_id": "0" * 32,
    "view_id": "999",
    "field": "nothing",
    "entry_id": "999",
    "field_id": "999",
    "comment_id": "999",
    "login_id": "999",
    "file_id": "b" * 26,
}


def ends(route: str) -> bool:
    return route.startswith("DELETE ") or route.endswith(ENDINGS)


@pytest.fixture(scope="session")
def password_hash() -> str:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD)


class Apps:
    """Applications that served other tests' workspaces before: to build the routes takes longer than a test."""

    def __init__(self) -> None:
        self._free: dict[tuple[object, ...], list[tuple[Litestar, ASGIApp]]] = {}

    @contextmanager
    def serving(self, settings: Settings) -> Iterator[Litestar]:
        free = self._free.setdefault((settings.env.max_file_bytes, settings.env.security_contact), [])
        if not free:
            made = create_routes(settings)
            free.append((made, made.asgi_handler))
        app, routes = free.pop()
        serve(app, settings)
        yield app
        app.asgi_handler = routes
        free.append((app, routes))


@pytest.fixture(scope="session")
def apps() -> Apps:
    return Apps()


@pytest.fixture(scope="session")
def tenant_stock(
    admin_sql: pymysql.Connection,
    database_admin: MariaDbAdmin,
    storage_admin: VersityStorageAdmin,
    cache_admin: ValkeyAdmin,
) -> Iterator[Stock]:
    with admin_sql.cursor() as cursor, tenants_made(database_admin, storage_admin, cache_admin) as make:
        yield Stock(make, cursor, storage_admin, cache_admin)


@pytest.fixture
async def new_workspace(
    tenant_stock: Stock, platform: dict[str, Any], tmp_path: Path, password_hash: str, apps: Apps
) -> AsyncIterator[Callable[..., Awaitable[Workspace]]]:
    """Starts workspaces; they are ready, and unless `spare` they have their name and owner.

    `services` says where the backing services are, if not where the platform has them; with `own_audit_log` they were
    given no second schema. `variables` are added to its environment.
    """
    async with AsyncExitStack() as stack:
        count = 0

        async def make(
            *,
            spare: bool = False,
            services: dict[str, Any] | None = None,
            own_audit_log: bool = False,
            variables: Mapping[str, str] | None = None,
        ) -> Workspace:
            nonlocal count
            count += 1
            login, key, folder = tenant_stock.take(), Ed25519PrivateKey.generate(), tmp_path / f"workspace-{count}"
            stack.callback(tenant_stock.give_back, login)
            write_secrets(folder, login, services or platform, key)
            if own_audit_log:
                (folder / "database" / "audit").unlink()
            environ = {
                "VIVERO_TENANT_ID": login.id,
                "VIVERO_SECRETS_DIR": str(folder),
                "VIVERO_LOG_LEVEL": "ERROR",
                **(variables or {}),
            }
            settings = load(environ)
            app = stack.enter_context(apps.serving(settings))
            await stack.enter_async_context(running(app))
            transport = transport_to(app, raise_app_exceptions=False, client=("192.0.2.1", 1234))
            client = httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}")
            await stack.enter_async_context(client)
            workspace = Workspace(app, client, settings, environ, folder, key)
            await app.state.services.schema_ready.wait()
            tenant_stock.began(login)
            if not spare:
                account = {"email": OWNER, "name": "Olive", "password_hash": password_hash}
                answer = await workspace.tell(owner=account)
                assert answer.status_code == 201, answer.text
            return workspace

        yield make


@pytest.fixture
def no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace that is started after this does no job and sends nothing by itself: a test begins the attempts."""

    async def rest(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(JobRunner, "run", rest)
    monkeypatch.setattr(WebhookDelivery, "run", rest)
    monkeypatch.setattr(ReportMailDelivery, "run", rest)


@pytest.fixture
async def workspace(new_workspace: Callable[[], Awaitable[Workspace]]) -> Workspace:
    return await new_workspace()


AS_OF: Final = "2026-11-28T14:05:00Z"


@pytest.fixture
async def view(workspace: Workspace, admin_sql: pymysql.Connection, apps: Apps) -> AsyncIterator[Workspace]:
    """The same data in a program that shows it as of a second: its login may only SELECT, its cache keys are its own."""
    reader = f"{workspace.settings.database.name}b"
    with admin_sql.cursor() as cursor:
        cursor.execute(f"CREATE USER `{reader}`@'%' IDENTIFIED BY 'reads' REQUIRE SSL")
        for schema in (workspace.settings.database.name, workspace.settings.database.audit):
            cursor.execute(f"GRANT SELECT ON `{schema}`.* TO `{reader}`@'%'")
    folder = workspace.folder.with_name(f"{workspace.folder.name}-as-of")
    shutil.copytree(workspace.folder, folder)
    own = {
        "database/username": reader,
        "database/password": "reads",
        "cache/prefix": f"{workspace.settings.cache.prefix}view:",
        "app/signing_key": secrets.token_hex(32),
    }
    for name, content in own.items():
        (folder / name).write_text(content)
    (folder / "platform" / "ticket.pub").unlink()
    environ = {
        **workspace.environ,
        "VIVERO_SECRETS_DIR": str(folder),
        "VIVERO_AS_OF": AS_OF,
        "VIVERO_PUBLIC_URL": f"https://{VIEW_HOST}:8443",
    }
    with apps.serving(load(environ)) as app:
        transport = transport_to(app, raise_app_exceptions=False, client=("192.0.2.1", 1234))
        async with running(app), httpx.AsyncClient(transport=transport, base_url=f"https://{VIEW_HOST}") as client:
            shown = Workspace(app, client, load(environ), environ, folder, workspace.ticket_key)
            await app.state.services.schema_ready.wait()
            yield shown
    # Its tenant is used again only if its users are those of a new one.
    with admin_sql.cursor() as cursor:
        cursor.execute(f"DROP USER `{reader}`@'%'")


@pytest.fixture(params=["live", "as of"])
def either(request: pytest.FixtureRequest) -> Workspace:
    """A workspace that keeps its sessions in its schema, and one that keeps them in the cache."""
    found: Workspace = request.getfixturevalue("workspace" if request.param == "live" else "view")
    return found


@pytest.fixture
async def owner(workspace: Workspace) -> dict[str, str]:
    """The owner's header."""
    return await workspace.login()


@pytest.fixture
async def program(no_runner: None, workspace: Workspace, owner: dict[str, str]) -> Program:
    """A workspace with a collection of one field a type, a view, three records, two files and a job that waits, and its owner."""
    assert no_runner is None
    kinds = [
        {"name": str(kind), "type": str(kind), "options": good.OPTIONS.get(kind, {})}
        for kind in (*good.GOOD_VALUES, *good.COMPUTED, *good.UPLOADED)
    ]
    fields = [{**kind, "choices": ["a", "b"]} if kind["type"] in {"choice", "choices"} else kind for kind in kinds]
    await workspace.targets(owner, 1)
    await workspace.collection(owner, *fields)
    records, files = "/api/v1/collections/Contacts/records", {"file": ("a.txt", b"x", "text/plain")}
    values = {str(kind): value for kind, value in good.GOOD_VALUES.items()}
    for _ in range(3):
        assert (await workspace.client.post(records, json={"values": values}, headers=owner)).status_code == 201
    file = (await workspace.client.post("/api/v1/files", files=files, headers=owner)).json()
    scan = (await workspace.client.post(f"{records}/1/files?field=file", files=files, headers=owner)).json()
    job = (await workspace.client.post(f"{records}/export", json={}, headers=owner)).json()
    csv = {"file": ("a.csv", b"Name\nAda\n", "text/csv")}
    assert (await workspace.client.post("/api/v1/imports", files=csv, headers=owner)).status_code == 202
    report = {"name": "By choice", "collection": "Contacts", "group_by": [{"field": "choice"}]}
    assert (await workspace.client.post("/api/v1/reports", json=report, headers=owner)).status_code == 201
    board = {"name": "Board", "tiles": [{"type": "report", "report": 1}, {"type": "list", "collection": "Contacts"}]}
    assert (await workspace.client.post("/api/v1/dashboards", json=board, headers=owner)).status_code == 201
    async with workspace.app.state.services.database.transaction() as tx:  # it has no mail server to make one with
        await tx.execute(
            "INSERT INTO report_schedules (subject, subject_id, every, hour, weekday, day, active, next_at, owner_id)"
            " VALUES ('report', 1, 'day', 7, 0, 1, TRUE, CURRENT_TIMESTAMP(6) + INTERVAL 1 DAY, 1)"
        )
    role = {"name": "Guests", "collections": [{"collection": "Contacts"}, {"collection": "Targets"}]}
    assert (await workspace.client.post("/api/v1/roles", json=role, headers=owner)).status_code == 201
    told = {"url": "https://example.com/hook", "events": ["record.created"]}
    hook = (await workspace.client.post("/api/v1/webhooks", json=told, headers=owner)).json()
    key = (await workspace.client.post("/api/v1/api-keys", json={"name": "Nightly import"}, headers=owner)).json()
    collection = (await workspace.client.get("/api/v1/collections", headers=owner)).json()["items"][0]
    saved = good.workspace_bodies({})["POST /api/v1/collections/{name}/views"]
    view = (await workspace.client.post("/api/v1/collections/Contacts/views", json=saved, headers=owner)).json()
    env, app = workspace.settings.env, workspace.settings.app
    tokens = AccessTokens(app.signing_key, env.tenant_id)
    claims = tokens.read(owner["authorization"].removeprefix("Bearer "))
    leaving = tokens.read((await workspace.user(owner, "viewer"))["authorization"].removeprefix("Bearer "))

    def browser(who: AccessClaims) -> list[tuple[str, str]]:
        token = tokens.issue(who, clock.now())
        return [
            ("authorization", f"Bearer {token}"),
            ("cookie", f"{ACCESS}={token}"),
            ("sec-fetch-site", "same-origin"),
        ]

    def headers(route: str) -> list[tuple[str, str]]:
        if "/internal/" in route:
            return list(workspace.operator.items())
        return browser(leaving if route.endswith("logout") else claims)

    def at(route: str) -> dict[str, Any]:
        made = {
            "file_id": (scan if "{record_id" in route else file)["id"],
            "job_id": str(job["id"]),
            "key_id": str(key["id"]),
            "webhook_id": str(hook["id"]),
            "view_id": str(view["id"]),
        }
        return NOWHERE if ends(route) else THERE | made

    return Program(
        app=workspace.app,
        host=HOST,
        headers=headers,
        values=at,
        bodies=good.workspace_bodies({field["name"]: field["id"] for field in collection["fields"]}),
        queries=good.WORKSPACE_QUERIES,
        cookies=(ACCESS, REFRESH, NOTICE_COOKIE, f"__Host-columns-{collection['id']}"),
    )


@pytest.fixture(scope="session")
def foreign_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of an authority that signed none of the services'."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("authority") / "ca.crt"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
