"""The program itself, in a process of its own: as a pod runs it, and as an administrator does."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pymysql
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.conftest import Login
from integration.data_plane.workspace import HOST, OWNER, PASSWORD, write_secrets
from support.newer_schema import NEWER, newer_migrations
from support.reports import functions, taking_reports
from vivero_data.db import schema_file
from vivero_data.db.compatibility import HEAD
from vivero_data.db.migrate import migrate
from vivero_data.settings import load

START_SECONDS = 60.0
IDLE_MIB = 70.0

PYTHONPATH = ":".join(path for path in sys.path if path)


@pytest.fixture
def environ(new_tenant: Callable[[], Login], platform: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    login = new_tenant()
    write_secrets(tmp_path, login, platform, Ed25519PrivateKey.generate())
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": PYTHONPATH,
        "VIVERO_TENANT_ID": login.id,
        "VIVERO_TENANT_NAME": "Acme GmbH",
        "VIVERO_PUBLIC_URL": f"https://{HOST}",
        "VIVERO_SECRETS_DIR": str(tmp_path),
        "VIVERO_METRICS_PORT": str(free_port()),
    }


def command(environ: dict[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-W", "ignore", "-m", "vivero_data", *arguments],
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@asynccontextmanager
async def served(environ: dict[str, str]) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The program, and the address of its public port; it is ended and its output is read by the block or after it."""
    port = free_port()
    arguments = ["-W", "ignore", "-m", "vivero_data", "serve", "--host", "127.0.0.1", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)


async def first_answer(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """The first question that is let in waits for its answer."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return await client.get(path)
            except httpx.ConnectError:
                await asyncio.sleep(0.02)


async def test_a_pod_starts_serves_and_drains(environ: dict[str, str]) -> None:
    made = command(environ, "create-owner", "--email", OWNER, stdin=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout) == (0, f"created: {OWNER}\n"), made.stderr
    async with (
        served(environ) as (process, address),
        httpx.AsyncClient(base_url=address, timeout=30) as client,
    ):
        ready = await first_answer(client, "/readyz")
        assert ready.status_code == 200, ready.text
        body = {"email": OWNER, "password": PASSWORD}
        login = asyncio.create_task(client.post("/api/v1/auth/login?ticket=sesame", json=body))
        await asyncio.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert (await login).status_code == 200
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode in {0, -signal.SIGTERM}
    text = output.decode()
    assert "/api/v1/auth/login" in [json.loads(line).get("route") for line in text.splitlines()]
    for secret in ("sesame", PASSWORD, environ["VIVERO_SECRETS_DIR"] + "/app"):
        assert secret not in text


async def test_prometheus_asks_at_a_port_of_its_own(environ: dict[str, str]) -> None:
    async with served(environ) as (_, address), httpx.AsyncClient(timeout=30) as client:
        assert (await first_answer(client, f"{address}/readyz")).status_code == 200
        scraped = await client.get(f"http://127.0.0.1:{environ['VIVERO_METRICS_PORT']}/metrics")
        assert scraped.status_code == 200
        assert 'path="/readyz"' in scraped.text
        assert (await client.get(f"{address}/metrics")).status_code == 404
        other = await client.get(f"http://127.0.0.1:{environ['VIVERO_METRICS_PORT']}/readyz")
        assert other.status_code == 404


async def test_an_idle_program_is_small(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """As in its image, where nothing is compiled at the start: so the second of two counts."""
    environ["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("compiled"))
    for _ in range(2):
        async with served(environ) as (process, address), httpx.AsyncClient(timeout=30) as client:
            assert (await first_answer(client, f"{address}/readyz")).status_code == 200
            resident = resident_mib(process.pid)
    assert resident <= IDLE_MIB


def resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss:")) / 1024


def test_a_port_that_is_taken_is_named(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environ["VIVERO_METRICS_PORT"]))):
        done = command(environ, "serve", "--host", "127.0.0.1", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.startswith("vivero-data-plane: VIVERO_METRICS_PORT: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "file", ["platform/ca.crt", "limits/limits.json", "database/port", "app/signing_key", "storage/endpoint"]
)
def test_a_start_with_a_wrong_file_names_it_and_the_problem(environ: dict[str, str], file: str) -> None:
    path = Path(environ["VIVERO_SECRETS_DIR"]) / file
    path.write_text("sesame")
    done = command(environ, "serve", "--host", "127.0.0.1", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.startswith(f"vivero-data-plane: {path}: ")
    assert len(done.stderr.strip()) > len(f"vivero-data-plane: {path}: ")
    assert "sesame" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("file", "content", "aspect", "why"),
    [
        ("database/password", "wrong", "database", "OperationalError 1045"),
        ("database/port", "1", "database", "OperationalError 2003"),
        ("cache/password", "wrong", "cache", "AuthenticationError"),
        ("storage/secret_key", "wrong", "storage", "The bucket refused a request (status 403)"),
    ],
)
async def test_a_pod_that_is_not_ready_says_why(
    environ: dict[str, str], file: str, content: str, aspect: str, why: str
) -> None:
    (Path(environ["VIVERO_SECRETS_DIR"]) / file).write_text(content)
    async with served(environ) as (process, address), httpx.AsyncClient(timeout=30) as client:
        for _ in range(2):
            assert (await first_answer(client, f"{address}/readyz")).status_code == 503
        process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    lines = [json.loads(line) for line in output.decode().splitlines() if line.startswith("{")]
    (told,) = [line for line in lines if line["event"] == "not_ready"]
    assert why in told[aspect]
    assert "wrong" not in output.decode()


EXPAND = "ALTER TABLE users ADD COLUMN IF NOT EXISTS nickname VARCHAR(80) NULL"


@pytest.fixture
def later_release(
    environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Migrates the workspace's schema as a later release would."""

    def upgrade(oldest_program: str) -> None:
        folder = tmp_path_factory.mktemp("later")
        newer = newer_migrations(schema_file.MIGRATIONS, folder, HEAD, oldest_program=oldest_program, statement=EXPAND)
        monkeypatch.setattr(schema_file, "MIGRATIONS", newer)
        migrate(load(environ))

    return upgrade


async def test_the_program_as_it_is_serves_on_the_schema_of_a_later_release(
    environ: dict[str, str], later_release: Callable[[str], None]
) -> None:
    later_release(HEAD)
    assert command(environ, "migrate").returncode == 0
    made = command(environ, "create-owner", "--email", OWNER, stdin=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    async with served(environ) as (process, address):
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            ready = await first_answer(client, "/readyz")
            assert (ready.status_code, ready.json()["schema"]) == (200, NEWER)
            body = {"email": OWNER, "password": PASSWORD}
            assert (await client.post("/api/v1/auth/login", json=body)).status_code == 200
        process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert b'"schema_is_ahead"' in output


async def test_a_schema_that_is_closed_to_the_program_stops_it_with_a_sentence(
    environ: dict[str, str], later_release: Callable[[str], None]
) -> None:
    later_release(NEWER)
    sentence = f"The schema is at revision {NEWER} and only programs that know revision {NEWER} may use it"
    for arguments in (("migrate",), ("create-owner", "--email", OWNER)):
        done = command(environ, *arguments, stdin=f"{PASSWORD}\n")
        assert done.returncode == 1
        assert sentence in done.stderr
    async with served(environ) as (process, _):
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == -signal.SIGTERM
    assert sentence in output.decode()


def test_the_owner_is_created_once(environ: dict[str, str]) -> None:
    for expected in ("created", "already there"):
        done = command(environ, "create-owner", "--email", OWNER, "--name", "Olive", stdin=f"{PASSWORD}\n")
        assert done.stdout == f"{expected}: {OWNER}\n", done.stderr


@pytest.mark.parametrize(("email", "password"), [("nobody", PASSWORD), (OWNER, "short"), (OWNER, "")])
def test_a_bad_owner_is_refused_in_words(environ: dict[str, str], email: str, password: str) -> None:
    done = command(environ, "create-owner", "--email", email, stdin=password)
    assert done.returncode == 1
    assert done.stderr.startswith("vivero-data-plane: ")
    assert "Traceback" not in done.stderr


def test_migrating_by_hand_can_be_repeated(environ: dict[str, str]) -> None:
    for _ in range(2):
        done = command(environ, "migrate")
        assert done.returncode == 0, done.stderr


def test_a_start_with_a_missing_setting_names_it(environ: dict[str, str]) -> None:
    del environ["VIVERO_TENANT_ID"]
    done = command(environ, "serve", "--host", "127.0.0.1", "--port", "0")
    assert done.returncode == 2
    assert done.stderr == "vivero-data-plane: VIVERO_TENANT_ID: is not set\n"


@pytest.fixture
def without_a_table(environ: dict[str, str], admin_sql: pymysql.Connection) -> dict[str, str]:
    """Of a program that finds, after its start, that the table of webhooks is gone."""
    command(environ, "create-owner", "--email", OWNER, stdin=f"{PASSWORD}\n").check_returncode()
    with admin_sql.cursor() as cursor:
        cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
        cursor.execute(f"DROP TABLE `{load(environ).database.name}`.webhooks")
        cursor.execute("SET FOREIGN_KEY_CHECKS = 1")
    return environ


async def test_a_fault_is_reported_from_when_there_is_an_address_without_a_persons_words(
    without_a_table: dict[str, str],
) -> None:
    file = Path(without_a_table["VIVERO_SECRETS_DIR"]) / "telemetry" / "sentry_dsn"
    file.parent.mkdir()
    with taking_reports() as sentry:
        async with (
            served(without_a_table) as (process, address),
            httpx.AsyncClient(base_url=address, timeout=30, params={"hunter2": "hunter2"}) as client,
        ):
            assert (await first_answer(client, "/readyz")).status_code == 200
            body = {"email": OWNER, "password": PASSWORD}
            token = (await client.post("/api/v1/auth/login", json=body)).json()["access_token"]
            client.headers["authorization"] = f"Bearer {token}"
            unreported = await client.get("/api/v1/webhooks")
            for written in ("no address", sentry.dsn):
                file.write_text(written)
                answer = await client.get("/api/v1/webhooks", headers={"cookie": "hunter2=hunter2"})
                assert answer.status_code == unreported.status_code == 500
            process.send_signal(signal.SIGTERM)
            output, _ = await asyncio.wait_for(process.communicate(), 30)
    (event,) = sentry.events
    assert event["tags"] == {
        "tenant_id": without_a_table["VIVERO_TENANT_ID"],
        "request_id": answer.headers["x-request-id"],
    }
    assert event["logentry"] == {"message": "request_failed"}
    assert event["exception"]["values"][-1]["type"] == "MissingTableError"
    assert "WebhookService" in str(functions(event)), "where it broke"
    lines = output.decode()
    assert [json.loads(line)["problem"] for line in lines.splitlines() if "error_not_reported" in line] == [
        f"{file}: has to be https://KEY@HOST/PROJECT"
    ]
    for words in ("hunter2", PASSWORD, OWNER, token):
        assert words not in sentry.text
    assert sentry.dsn not in lines


def test_what_nothing_caught_is_reported_by_a_program_that_ends_at_once(environ: dict[str, str]) -> None:
    """Its report waits in the queue when it ends."""
    program = (
        "from vivero_data import cli, main; main._migrate = lambda _: [][0]; main.run(cli.parse(['migrate']), None)"
    )
    with taking_reports() as sentry:
        file = Path(environ["VIVERO_SECRETS_DIR"]) / "telemetry" / "sentry_dsn"
        file.parent.mkdir()
        file.write_text(sentry.dsn)
        ended = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-c", program],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert "IndexError" in ended.stderr
    assert [event["exception"]["values"][-1]["type"] for event in sentry.events] == ["IndexError"]
