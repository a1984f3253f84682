"""The program itself, in a process of its own: as a pod runs it, and as an administrator does."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.data_plane.workspace import HOST, OWNER, PASSWORD, Login, write_secrets

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


async def test_a_pod_starts_serves_and_drains(environ: dict[str, str]) -> None:
    made = command(environ, "create-owner", "--email", OWNER, stdin=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout) == (0, f"created: {OWNER}\n"), made.stderr
    port = free_port()
    arguments = ["-W", "ignore", "-m", "vivero_data", "serve", "--host", "127.0.0.1", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            for _ in range(200):
                try:
                    ready = await client.get("/readyz")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
            # The first question that is let in waits for its answer.
            assert ready.status_code == 200, ready.text
            body = {"email": OWNER, "password": PASSWORD}
            login = asyncio.create_task(client.post("/api/v1/auth/login?ticket=sesame", json=body))
            await asyncio.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            assert (await login).status_code == 200
    finally:
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode in {0, -signal.SIGTERM}
    text = output.decode()
    assert '"path":"/api/v1/auth/login"' in text
    for secret in ("sesame", PASSWORD, environ["VIVERO_SECRETS_DIR"] + "/app"):
        assert secret not in text


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
