"""What traces cost a workspace: throughput and memory of its program without them, with a tenth kept, and with all.

    PYTHONPATH=web:core:operator:data_plane:tests python benchmarks/telemetry.py --status status.json

Three programs serve one workspace of their own on the platform's database, cache and object store, and are asked in turn,
each first as often as the others; spans go to a collector in this process, which reads and forgets them. Seconds of the
processor are the program's own, so what else the machine does at the time changes them little.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from figures import arguments, machine, print_table, read_status
from integration.conftest import tenants_made
from integration.data_plane.workspace import OWNER, PASSWORD, write_secrets
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.transport import Endpoint
from vivero_core.backends.valkey import client as valkey

SIDES = {"no traces": None, "a tenth": "0.1", "all": "1"}
RECORDS = "/api/v1/collections/Contacts/records"
START_SECONDS = 120.0
SETTLE_SECONDS = 8.0
"""Longer than a batch of spans waits."""


@dataclass
class Side:
    """One program, and what was measured of it by round."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def ask(self, times: int) -> None:
        """Requests one after another, each a page of records."""
        seen = psutil.Process(self.process.pid)
        before, began = sum(seen.cpu_times()[:2]), time.perf_counter()
        for _ in range(times):
            self.client.get(RECORDS, params={"limit": 25}).raise_for_status()
        self.wall.append((time.perf_counter() - began) / times)
        self.processor.append((sum(seen.cpu_times()[:2]) - before) / times)

    @property
    def mebibytes(self) -> float:
        """What it has for itself."""
        return float(psutil.Process(self.process.pid).memory_full_info().uss) / 2**20


class _Forgets(BaseHTTPRequestHandler):
    """A collector that takes everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  the base class names it so
        """Nothing."""


@contextmanager
def collector() -> Iterator[str]:
    """Its address."""
    with HTTPServer(("127.0.0.1", 0), _Forgets) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@contextmanager
def workspace(platform: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The environment of a program for a tenant that is made for this run, with an owner."""
    authority, cache = Path(platform["ca"]).read_text(), urlsplit(platform["valkey"]["url"])
    at, store = platform["mariadb"], platform["s3"]
    server = Server(at["host"], int(at["port"]), authority)
    with ExitStack() as stack:
        database = MariaDbAdmin(server, Credentials(at["admin_user"], at["admin_password"]))
        endpoint = Endpoint(store["endpoint"], "us-east-1", authority)
        storage = VersityStorageAdmin(endpoint, Credentials(store["access_key"], store["secret_key"]))
        users = valkey.ValkeyAdmin(
            valkey.Server(cache.hostname or "", cache.port or 0, authority),
            Credentials(cache.username or "", cache.password or ""),
        )
        for admin in (database, storage, users):
            stack.enter_context(closing(admin))
        login = stack.enter_context(tenants_made(database, storage, users))()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_secrets(folder, login, platform, Ed25519PrivateKey.generate())
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(filter(None, sys.path)),
            "VIVERO_TENANT_ID": login.id,
            "VIVERO_TENANT_NAME": "Acme GmbH",
            "VIVERO_PUBLIC_URL": "https://acme.example.com",
            "VIVERO_SECRETS_DIR": str(folder),
            "VIVERO_LOG_LEVEL": "ERROR",
        }
        words = [sys.executable, "-m", "vivero_data", "create-owner", "--email", OWNER]
        subprocess.run(words, env=environ, input=f"{PASSWORD}\n".encode(), check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own program
        yield environ


@contextmanager
def served(environ: Mapping[str, str], port: int) -> Iterator[Side]:
    """A program on this port, and on the next for its metrics, and the owner signed in."""
    variables = {**environ, "VIVERO_METRICS_PORT": str(port + 1)}
    words = [sys.executable, "-m", "vivero_data", "serve", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(words, env=variables)  # noqa: S603  our own program
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        try:
            wait_until_ready(client)
            answer = client.post("/api/v1/auth/login", json={"email": OWNER, "password": PASSWORD})
            client.headers["authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
            yield Side(process, client)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def wait_until_ready(client: httpx.Client) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.ConnectError:
            pass
        time.sleep(0.1)
    raise SystemExit("the program does not become ready")


def fill(side: Side) -> None:
    """A collection of a hundred records."""
    body = {"name": "Contacts", "fields": [{"name": "Name", "type": "text"}, {"name": "Age", "type": "integer"}]}
    side.client.post("/api/v1/collections", json=body).raise_for_status()
    rows = [{"values": {"Name": f"Person {number}", "Age": number}} for number in range(100)]
    side.client.post(f"{RECORDS}/batch", json={"create": rows}).raise_for_status()


def main() -> None:
    given = arguments(__doc__ or "", rounds=20, requests=200, port=21400)
    with collector() as url, workspace(read_status(given.status)) as environ, ExitStack() as stack:
        sides: dict[str, Side] = {}
        for number, (name, ratio) in enumerate(SIDES.items()):
            traces = {"VIVERO_OTLP_ENDPOINT": url, "VIVERO_OTLP_RATIO": ratio} if ratio else {}
            sides[name] = stack.enter_context(served({**environ, **traces}, given.port + 2 * number))
        fill(sides["no traces"])
        for side in sides.values():
            side.ask(given.requests)  # what is loaded by the first requests
            side.processor.clear()
            side.wall.clear()
        for number in range(given.rounds):
            turns = list(sides.values())
            for side in turns[number % len(turns) :] + turns[: number % len(turns)]:
                side.ask(given.requests)
        time.sleep(SETTLE_SECONDS)
        report(sides, given.rounds, given.requests)


def report(sides: Mapping[str, Side], rounds: int, requests: int) -> None:
    base = next(iter(sides.values()))
    print(f"\n{rounds} rounds of {requests} requests each; {machine()}\n")
    print_table(
        ["", "processor a request", "ratio", "time of a request", "ratio", "memory", "more"],
        [
            [
                name,
                f"{1000 * median(side.processor):.2f} ms",
                f"{_ratio(side.processor, base.processor):.3f}",
                f"{1000 * median(side.wall):.2f} ms",
                f"{_ratio(side.wall, base.wall):.3f}",
                f"{side.mebibytes:.1f} MiB",
                f"{side.mebibytes - base.mebibytes:+.1f} MiB",
            ]
            for name, side in sides.items()
        ],
    )


def _ratio(values: list[float], base: list[float]) -> float:
    """Median of the rounds' own ratios: both sides of a round saw the same machine."""
    return median(one / other for one, other in zip(values, base, strict=True))


if __name__ == "__main__":
    main()
