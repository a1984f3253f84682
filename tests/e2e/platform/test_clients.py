"""HTTP through the ingress as curl speaks it: methods, parts, conditions, compression, and connections used again."""

import json
import socket
import ssl
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

LENGTH = 200_000
TEXT = b"0123456789" * (LENGTH // 10)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


Curl = Callable[..., Answer]


@pytest.fixture(scope="module")
def curl(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Curl:
    """Ask for an address over HTTP/2; options are curl's own."""
    folder = tmp_path_factory.mktemp("curl")
    head, body = folder / "head", folder / "body"

    def ask(address: str, *options: str, given: bytes = b"") -> Answer:
        parts = urlsplit(address)
        body.write_bytes(b"")
        command = [
            *("curl", "--silent", "--show-error", "--http2", "--max-time", "30", "--cacert", platform["ca"]),
            *("--resolve", f"{parts.hostname}:{parts.port}:127.0.0.1", "--dump-header", str(head)),
            *("--output", str(body), *options, address),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=40, input=given)  # noqa: S603  the test's own words
        status, *lines = head.read_text().strip().splitlines()
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        return Answer(int(status.split()[1]), headers, body.read_bytes())

    return ask


@pytest.fixture(scope="module")
def token(platform: dict[str, Any], workspace: httpx.Client) -> str:
    demo = platform["demo_tenant"]
    login = {"email": demo["email"], "password": demo["password"]}
    return str(workspace.post("/api/v1/auth/login", json=login).raise_for_status().json()["access_token"])


@pytest.fixture(scope="module")
def bearer(token: str) -> tuple[str, str]:
    return "--header", f"Authorization: Bearer {token}"


@pytest.fixture(scope="module")
def file(workspace: httpx.Client, token: str, platform: dict[str, Any]) -> str:
    sent = {"file": ("plain.txt", TEXT, "text/plain")}
    made = workspace.post("/api/v1/files", files=sent, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
    return f"{platform['demo_tenant']['url']}/api/v1/files/{made.json()['id']}"


@pytest.mark.parametrize("path", ["/", "/pricing", "/api/v1/plans", "/healthz", "/schema"])
def test_head_of_the_control_plane(curl: Curl, platform: dict[str, Any], path: str) -> None:
    address = f"{platform['control_plane_url']}{path}"
    whole, head = curl(address), curl(address, "--head")
    # Of HEAD, curl puts the headers where else the body goes.
    assert (head.status, head.body.partition(b"\r\n\r\n")[2]) == (whole.status, b"")
    assert head.headers["content-length"] == str(len(whole.body))
    assert head.headers["content-type"] == whole.headers["content-type"]
    told = curl(address, "--request", "OPTIONS")
    assert (told.status, told.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_a_download_in_parts_compressed_by_nobody(curl: Curl, bearer: tuple[str, str], file: str) -> None:
    head = curl(file, "--head", *bearer)
    assert (head.status, head.headers["content-length"], head.headers["accept-ranges"]) == (200, str(LENGTH), "bytes")
    tag = head.headers["etag"]
    whole = curl(file, "--compressed", *bearer)
    assert (whole.body, whole.headers["etag"], whole.headers.get("content-encoding")) == (TEXT, tag, None)
    rest = curl(file, "--compressed", "--range", "150000-", "--header", f"If-Range: {tag}", *bearer)
    assert (rest.status, rest.body) == (206, TEXT[150_000:])
    assert rest.headers["content-range"] == f"bytes 150000-{LENGTH - 1}/{LENGTH}"
    assert curl(file, "--range", f"{LENGTH}-", *bearer).status == 416
    assert curl(file, "--header", f"If-None-Match: {tag}", *bearer).status == 304


def test_the_tag_of_a_record_survives_compression(
    curl: Curl, bearer: tuple[str, str], workspace: httpx.Client, token: str, platform: dict[str, Any]
) -> None:
    login = {"Authorization": f"Bearer {token}"}
    field = {"name": "Text", "type": "long_text"}
    workspace.post("/api/v1/collections", json={"name": "curled", "fields": [field]}, headers=login).raise_for_status()
    try:
        made = workspace.post(
            "/api/v1/collections/curled/records", json={"values": {"Text": "long " * 500}}, headers=login
        ).raise_for_status()
        address = f"{platform['demo_tenant']['url']}/api/v1/collections/curled/records/{made.json()['id']}"
        tag = curl(address, "--compressed", *bearer).headers["etag"]

        def change(text: str) -> Answer:
            body = json.dumps({"values": {"Text": text}})
            change = ("--request", "PATCH", "--json", body, "--header", f"If-Match: {tag}")
            return curl(address, "--compressed", *change, *bearer)

        assert change("short").status == 200
        stale = change("other")
        assert (stale.status, stale.headers["content-type"]) == (412, "application/problem+json")
    finally:
        workspace.delete("/api/v1/collections/curled", headers=login)


def test_an_upload_above_the_bound_is_answered(curl: Curl, bearer: tuple[str, str], platform: dict[str, Any]) -> None:
    """While it is sent: the proxy would end the stream, answer and all, at the first word of a refusal."""
    home = platform["demo_tenant"]["url"]
    large = ("--request", "POST", "--data-binary", "@-", "--header", "Content-Type: application/json")
    refused = curl(f"{home}/api/v1/collections", *large, *bearer, given=b" " * 30_000_000)
    assert (refused.status, refused.headers["content-type"]) == (413, "application/problem+json")
    stranger = curl(f"{home}/api/v1/collections", *large, given=b" " * 30_000_000)
    assert stranger.status == 401


def test_a_static_file_is_asked_for_again_and_not_sent_again(curl: Curl, platform: dict[str, Any]) -> None:
    for home in (platform["control_plane_url"], platform["demo_tenant"]["url"]):
        address = f"{home}/static/manifest.json"
        first = curl(address, "--compressed")
        assert (first.status, first.headers["cache-control"]) == (200, "no-cache")
        for condition in (
            f"If-None-Match: {first.headers['etag']}",
            f"If-Modified-Since: {first.headers['last-modified']}",
        ):
            again = curl(address, "--compressed", "--header", condition)
            assert (again.status, again.body) == (304, b"")


def test_no_certificate_invites_to_another_hosts_connection(platform: dict[str, Any]) -> None:
    """A browser asks for a workspace on its connection to the control plane when the certificate there names it too."""
    context = ssl.create_default_context(cafile=platform["ca"])
    named: dict[str, list[str]] = {}
    for address in (platform["control_plane_url"], platform["demo_tenant"]["url"]):
        host, port = urlsplit(address).hostname or "", urlsplit(address).port or 443
        with (
            socket.create_connection(("127.0.0.1", port), 5) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            certificate: Any = connection.getpeercert()
            named[host] = [name for kind, name in certificate["subjectAltName"] if kind == "DNS"]
    home, workspace = named
    assert named == {home: [home], workspace: [f"*.{home}"]}
