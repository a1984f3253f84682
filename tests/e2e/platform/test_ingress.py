"""The ingress as clients meet it: nothing in the clear, no time-out for a slow reader, one for a body that stops."""

import secrets
import socket
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from vivero_dev.instance import Instance
from vivero_dev.localhost import local_client
from vivero_dev.native.envoy import PLAIN_PORT, loopback_address


def hosts(platform: dict[str, Any]) -> dict[str, str]:
    home = urlsplit(platform["control_plane_url"]).hostname or ""
    tenant = urlsplit(platform["demo_tenant"]["url"]).hostname or ""
    return {"control plane": home, "workspace": tenant, "no workspace": f"nowhere-at-all.{home}"}


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("which", ["control plane", "workspace", "no workspace"])
def test_a_request_in_the_clear_is_sent_to_https(
    platform: dict[str, Any], instance: Instance, which: str, method: str
) -> None:
    host = hosts(platform)[which]
    path = "/api/v1/auth/login?next=%2F"
    with httpx.Client(base_url=f"http://{loopback_address(instance)}:{PLAIN_PORT}", timeout=10) as client:
        answer = client.request(method, path, headers={"Host": host}, json={"email": "a@b.example", "password": "x"})
    assert answer.status_code in (301, 308)
    assert answer.headers["location"] == f"https://{host}{path}"
    assert answer.text == ""


SLOW_SECONDS = 75
LARGE = 32 * 1024**2
"""Far more than the buffers between the pod and us hold."""


@pytest.mark.full
def test_a_download_takes_as_long_as_its_reader(platform: dict[str, Any]) -> None:
    demo = platform["demo_tenant"]
    login = {"email": demo["email"], "password": demo["password"]}
    with local_client(Path(platform["ca"]), timeout=30) as client:
        client.base_url = httpx.URL(demo["url"])
        token = client.post("/api/v1/auth/login", json=login).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        content = secrets.token_bytes(LARGE)  # nothing that compression makes small
        made = client.post(
            "/api/v1/files", files={"file": ("large.bin", content, "application/octet-stream")}
        ).raise_for_status()
        pause = SLOW_SECONDS / (LARGE / 2**20)
        received = 0
        with client.stream("GET", f"/api/v1/files/{made.json()['id']}") as answer:
            for chunk in answer.iter_raw(2**20):
                received += len(chunk)
                time.sleep(pause)
        assert received == LARGE


@pytest.mark.full
def test_a_body_that_stops_coming_ends_the_request(platform: dict[str, Any]) -> None:
    parts = urlsplit(platform["demo_tenant"]["url"])
    host, port = parts.hostname or "", parts.port or 443
    context = ssl.create_default_context(cafile=platform["ca"])
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.settimeout(90)
        head = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
        assert connection.recv(100).split(b" ")[1] == b"408"
