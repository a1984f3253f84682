"""A MariaDB and a Valkey of a test's own: fresh, as a person gets them, before anybody has hardened them."""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.api_server import LOOPBACK, free_ports
from vivero_dev.backing import mariadb
from vivero_dev.certificates import Authority
from vivero_dev.commands import run
from vivero_dev.debian import extracted
from vivero_dev.instance import Instance, cache_root
from vivero_dev.native.probes import unix_socket_accepts
from vivero_dev.native.services.mariadb import PACKAGE as SERVER_PACKAGE
from vivero_dev.native.services.mariadb import PLUGINS
from vivero_dev.native.services.valkey import PACKAGE, PROGRAM
from vivero_dev.processes import POLL_SECONDS, ProcessSpec, ProcessTable, is_alive
from vivero_dev.secret_store import SecretStore

SECONDS = 60.0


@dataclass(frozen=True)
class OwnServer:
    """Where it listens; `socket` is for its root."""

    port: int
    socket: Path
    crash: Callable[[], None]
    """End it without a warning, and start it again with the data that it had."""


@contextmanager
def own_mariadb(folder: Path, options: Path, authority: Authority) -> Iterator[OwnServer]:
    """With this option file; only where files lie and what is too large for a test is said on the command line."""
    pair = authority.issue("mariadb", [LOOPBACK])
    data, socket, keys = folder / "data", folder / "mariadb.sock", folder / "encryption-keys"
    keys.write_text(mariadb.key_file(SecretStore(folder)))
    temporary = folder / "tmp"
    temporary.mkdir()
    (port,) = free_ports(1)
    # A folder of its own: a server that starts deletes what lies there of temporary tables, also of another that runs.
    places = [f"--datadir={data}", f"--tmpdir={temporary}"]
    run("mariadb", ["mariadb-install-db", "--no-defaults", "--user=root", *places], timeout=SECONDS)
    command = [
        "/usr/sbin/mariadbd",
        f"--defaults-file={options}",
        "--user=root",
        *places,
        f"--socket={socket}",
        f"--pid-file={folder / 'mariadb.pid'}",
        f"--plugin-dir={extracted(cache_root(), SERVER_PACKAGE) / PLUGINS}",
        f"--loose-file-key-management-filename={keys}",  # where the option file has no encryption, nobody knows it
        f"--bind-address={LOOPBACK}",
        f"--port={port}",
        f"--ssl-ca={authority.certificate}",
        f"--ssl-cert={pair.certificate}",
        f"--ssl-key={pair.key}",
        "--innodb-buffer-pool-size=64M",
    ]
    spec = ProcessSpec("mariadb", command, ready=lambda: unix_socket_accepts(socket), deadline=SECONDS)
    with _running(folder, spec) as crash:
        yield OwnServer(port, socket, crash)


@contextmanager
def own_valkey(folder: Path, configuration: Path, users: Path, authority: Authority) -> Iterator[OwnServer]:
    """The same for Valkey, with a copy of this ACL file, `users.acl` in the folder."""
    pair = authority.issue("valkey", [LOOPBACK])
    (port,) = free_ports(1)
    socket = folder / "valkey.sock"
    server = folder / "valkey-server"
    # One program under several names.
    server.symlink_to(extracted(cache_root(), PACKAGE) / PROGRAM)
    shutil.copyfile(pair.certificate, folder / "tls.crt")
    shutil.copyfile(pair.key, folder / "tls.key")
    shutil.copyfile(authority.certificate, folder / "ca.crt")
    shutil.copyfile(users, folder / "users.acl")
    # Not on the command line: the server changes into its folder as soon as it has read the line that names it.
    own = folder / "valkey.conf"
    own.write_text(re.sub(r"/etc/valkey/tls|/var/lib/valkey", str(folder), configuration.read_text()))
    places = ["--tls-port", str(port), "--bind", LOOPBACK, "--unixsocket", str(socket)]
    command = [str(server), str(own), *places]
    spec = ProcessSpec("valkey", command, ready=lambda: unix_socket_accepts(socket), deadline=SECONDS)
    with _running(folder, spec) as crash:
        yield OwnServer(port, socket, crash)


@contextmanager
def _running(folder: Path, spec: ProcessSpec) -> Iterator[Callable[[], None]]:
    processes = ProcessTable(Instance(f"own-{spec.name}", folder, cache_root(), 0, {}))

    def crash() -> None:
        running = processes.find(spec.name)
        assert running is not None, f"{spec.name} does not run"
        os.killpg(running.pid, signal.SIGKILL)
        # Its first thread may be gone while another still ends, and holds its files and sockets.
        while is_alive(running) or (spec.ready is not None and spec.ready()):
            time.sleep(POLL_SECONDS)
        processes.ensure(spec)

    try:
        processes.ensure(spec)
        yield crash
    finally:
        processes.stop(spec.name)
