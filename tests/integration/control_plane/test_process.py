"""The program in a separate process: on the schema of a future release, and on its ports."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pymysql
import pytest
from integration.control_plane.support import DOMAIN, eventually
from support.newer_schema import NEWER, newer_migrations
from vivero_control.db import migrate as migrating
from vivero_control.db.compatibility import HEAD
from vivero_control.settings import Settings

PYTHONPATH = ":".join(path for path in sys.path if path)
HOST = {"Host": DOMAIN}
EXPAND = "ALTER TABLE accounts ADD COLUMN nickname VARCHAR(80) NULL"
CLOSED = f"The schema is at revision {NEWER} and only programs that know revision {NEWER} may use it"


@pytest.fixture
def own(settings: Settings, admin_sql: pymysql.Connection) -> Iterator[Settings]:
    """A schema for this test, migrated by the current program."""
    name = f"cp{secrets.token_hex(4)}"
    with admin_sql.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        cursor.execute(f"GRANT ALL ON {name}.* TO '{settings.database.username}'@'%'")
    made = settings.model_copy(update={"database": settings.database.model_copy(update={"name": name})})
    migrating.migrate(made)
    yield made
    with admin_sql.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
        cursor.execute(f"REVOKE ALL ON {name}.* FROM '{settings.database.username}'@'%'")


@pytest.fixture
def later_release(own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Migrates the schema as a later release would."""

    def upgrade(oldest_program: str) -> None:
        newer = newer_migrations(migrating.MIGRATIONS, tmp_path, HEAD, oldest_program=oldest_program, statement=EXPAND)
        monkeypatch.setattr(migrating, "MIGRATIONS", newer)
        migrating.migrate(own)

    return upgrade


@pytest.fixture
def environ(own: Settings, tmp_path: Path) -> dict[str, str]:
    """What a pod's program is started with; secrets as files."""
    files = {
        "database/password": own.database.password,
        "cache/password": own.cache.password,
        "app/session_key": own.app.session_key,
        "app/ticket_private_key": own.app.ticket_private_key,
        "app/admin_password": own.app.admin_password,
    }
    for name, secret in files.items():
        path = tmp_path / "secrets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secret.get_secret_value())
    plain: dict[str, Any] = {
        "PUBLIC_URL": own.public_url,
        "LISTEN_HOST": "127.0.0.1",
        "LISTEN_PORT": free_port(),
        "METRICS_PORT": free_port(),
        "DATABASE__HOST": own.database.host,
        "DATABASE__PORT": own.database.port,
        "DATABASE__NAME": own.database.name,
        "DATABASE__USERNAME": own.database.username,
        "CACHE__HOST": own.cache.host,
        "CACHE__PORT": own.cache.port,
        "CACHE__USERNAME": own.cache.username,
        "CACHE__PREFIX": own.cache.prefix,
        "APP__ADMIN_EMAIL": own.app.admin_email,
        "PLATFORM__CA": own.platform.ca,
        "MAIL__HOST": own.mail.host,
        "MAIL__PORT": own.mail.port,
        "KUBE__KUBECONFIG": own.kube.kubeconfig,
        "SECRETS_DIR": tmp_path / "secrets",
    }
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": PYTHONPATH,
        **{f"VIVERO_{name}": str(value) for name, value in plain.items()},
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def started(environ: dict[str, str], role: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-W", "ignore", "-m", "vivero_control", role],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def serving(environ: dict[str, str], role: str) -> Iterator[str]:
    """The address for kubelet of a program that became ready there."""
    process = started(environ, role)
    inside = f"http://127.0.0.1:{environ['VIVERO_METRICS_PORT']}"

    def ready() -> bool:
        assert process.poll() is None, process.communicate()[0]
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{inside}/readyz", timeout=10).status_code == 200
        return False

    try:
        eventually(ready)
        yield inside
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode in {0, -signal.SIGTERM}, output


def ended(environ: dict[str, str], role: str) -> tuple[int, str]:
    process = started(environ, role)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def test_what_is_for_the_cluster_is_on_a_port_of_its_own(environ: dict[str, str]) -> None:
    public = f"http://127.0.0.1:{environ['VIVERO_LISTEN_PORT']}"
    with serving(environ, "serve") as inside:
        assert httpx.get(f"{public}/api/v1/plans", headers=HOST).status_code == 200
        assert "vivero_control_requests_total" in httpx.get(f"{inside}/metrics").text
        assert httpx.get(f"{public}/metrics", headers=HOST).status_code == 404
        assert httpx.get(f"{public}/readyz", headers=HOST).status_code == 200
        assert httpx.get(f"{public}/readyz").status_code == 404, "asked by address it is no host of ours"
        assert httpx.get(f"{inside}/api/v1/plans", headers=HOST).status_code == 404


def test_a_worker_has_no_public_port(environ: dict[str, str]) -> None:
    with serving(environ, "worker") as inside:
        assert httpx.get(f"{inside}/metrics").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{environ['VIVERO_LISTEN_PORT']}/healthz")


@pytest.mark.parametrize("role", ["serve", "worker"])
def test_the_program_as_it_is_runs_on_the_schema_of_a_later_release(
    environ: dict[str, str], later_release: Callable[[str], None], role: str
) -> None:
    later_release(HEAD)
    status, output = ended(environ, "migrate")
    assert status == 0, output
    assert f'"revision": "{NEWER}", "known": "{HEAD}"' in output
    assert "schema is newer than this program, and compatible" in output
    with serving(environ, role) as inside:
        assert httpx.get(f"{inside}/readyz").json()["database"] is True


@pytest.mark.parametrize("role", ["migrate", "serve", "worker"])
def test_a_schema_that_is_closed_to_the_program_stops_it_with_a_sentence(
    environ: dict[str, str], later_release: Callable[[str], None], role: str
) -> None:
    later_release(NEWER)
    status, output = ended(environ, role)
    assert status == 1
    assert CLOSED in output
    assert "Start a newer release" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("role", ["serve", "worker"])
def test_a_database_that_is_away_is_no_reason_not_to_start(environ: dict[str, str], role: str) -> None:
    environ["VIVERO_DATABASE__PORT"] = "1"
    process = started(environ, role)
    try:
        eventually(lambda: _live(environ))
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _live(environ: dict[str, str]) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{environ['VIVERO_METRICS_PORT']}/healthz").status_code == 200
    return False
