"""MariaDB from the distribution as a process of its own user."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER

from vivero_dev.backing import mariadb
from vivero_dev.commands import run
from vivero_dev.debian import extracted
from vivero_dev.errors import ComponentError
from vivero_dev.native.files import write_private
from vivero_dev.native.services.base import FIRST_UID, LOOPBACK, VIEW, ServiceHost
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.secret_store import SecretStore
from vivero_dev.steps import Say

NAME = "mariadb"
USER = User(FIRST_UID + 1, FIRST_UID + 1)
READY_SECONDS = 60.0
INSTALL_SECONDS = 120.0
# Of it only a plugin is used, which encrypts; the server itself comes from a package that starts no service.
PACKAGE = "mariadb-server"
PLUGINS = "usr/lib/mysql/plugin"
KEYS = "encryption-keys"


def ensure_mariadb(host: ServiceHost, say: Say) -> str:
    plugins = extracted(host.instance.cache_dir, PACKAGE) / PLUGINS
    write_private(host.instance.folder(NAME) / KEYS, mariadb.key_file(SecretStore(host.instance.secrets_dir)))
    folder = host.certified_folder(NAME, USER, "data", "run", "plugins", "tmp")
    socket = folder / "run" / "mariadb.sock"
    configuration = _configuration(host)
    (folder / "mariadb.cnf").write_text(configuration)
    if not (folder / "data" / "mysql").exists():
        say("creating the data directory")
        _install(host, folder)
    say("starting")
    host.processes.ensure(
        ProcessSpec(
            NAME,
            ["/usr/sbin/mariadbd", f"--defaults-file={VIEW}/mariadb.cnf"],
            user=USER,
            binds=[(folder, VIEW), (plugins, VIEW / "plugins")],
            revision=configuration + host.certificate().certificate.read_text(),
            ready=lambda: _answers(socket),
            deadline=READY_SECONDS,
        )
    )
    with closing(_root(socket)) as connection, connection.cursor() as cursor:
        for statement in mariadb.account_statements(host.accounts, _sources(host)):
            cursor.execute(statement)
    return f"127.0.0.1:{host.reachable.mariadb_port}"


def _configuration(host: ServiceHost) -> str:
    places = {
        "datadir": f"{VIEW}/data",
        "plugin_dir": f"{VIEW}/plugins",
        # Of its own: a server that starts deletes what lies there of temporary tables, also of another that runs.
        "tmpdir": f"{VIEW}/tmp",  # noqa: S108  below the instance's own folder
        "socket": f"{VIEW}/run/mariadb.sock",
        "pid_file": f"{VIEW}/run/mariadb.pid",
        "port": str(host.reachable.mariadb_port),
        "bind_address": ",".join(host.addresses),
    }
    encrypted = mariadb.options(str(VIEW)) + mariadb.encryption(f"{VIEW}/{KEYS}")
    return encrypted + "".join(f"{name} = {value}\n" for name, value in places.items())


def _install(host: ServiceHost, folder: Path) -> None:
    """Create the system tables, in a temporary folder first, so that an interruption leaves nothing incomplete."""
    draft = folder / "data.new"
    run(NAME, ["rm", "-rf", draft])
    command = ["mariadb-install-db", "--no-defaults", f"--datadir={draft}", f"--tmpdir={folder / 'tmp'}"]
    command += ["--skip-test-db", "--skip-name-resolve"]
    command += ["--auth-root-authentication-method=socket", "--auth-root-socket-user=root"]
    run(NAME, command, log=host.processes.log(NAME), timeout=INSTALL_SECONDS)
    run(NAME, ["chown", "-R", f"{USER.uid}:{USER.gid}", draft])
    (folder / "data").rmdir()
    draft.rename(folder / "data")


def _sources(host: ServiceHost) -> list[str]:
    """Hosts that the platform's accounts may connect from: this machine, and the instance's pods and node."""
    ranges = host.instance.addresses
    return [LOOPBACK, *(f"{block.network_address}/{block.netmask}" for block in (ranges.veth, ranges.pods))]


def _root(socket: Path) -> "Connection[Any]":
    """A connection as root through the Unix socket, without a password."""
    return pymysql.connect(unix_socket=str(socket), user="root", connect_timeout=5, read_timeout=30, autocommit=True)


def _answers(socket: Path) -> bool:
    try:
        with closing(_root(socket)):
            return True
    except pymysql.OperationalError as error:
        if error.args[0] == ER.ACCESS_DENIED_ERROR:
            raise ComponentError(NAME, "root may not log in through the socket") from error
        return False
