"""MariaDB from the distribution, hardened before the first tenant, TLS 1.3 alone."""

import ssl
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.cursors import Cursor

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError
from vivero_dev.health import Health
from vivero_dev.native.services.base import FIRST_UID, LOOPBACK, VIEW, ServiceHost
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

USER = User(FIRST_UID + 1, FIRST_UID + 1)
ADMIN = "vivero_admin"
CONTROL_PLANE = "vivero_control"
READY_SECONDS = 60.0
# The server refuses tenants beyond this; thousands of them share it, each with a small pool.
MAX_CONNECTIONS = 1000

CONFIGURATION = """\
[mariadbd]
datadir = {view}/data
socket = {view}/run/mariadb.sock
pid_file = {view}/run/mariadb.pid
port = {port}
bind_address = {addresses}
skip_name_resolve = ON
local_infile = OFF
symbolic_links = OFF
ssl_ca = {view}/ca.crt
ssl_cert = {view}/tls.crt
ssl_key = {view}/tls.key
tls_version = TLSv1.3
require_secure_transport = ON
character_set_server = utf8mb4
collation_server = utf8mb4_unicode_ci
max_connections = {max_connections}
max_allowed_packet = 64M
innodb_buffer_pool_size = 256M
innodb_log_file_size = 128M
# Twelve tables or more a tenant; the default of 2,000 would close and open files all day.
table_open_cache = 4000
performance_schema = OFF
skip_log_bin
"""


class MariaDB:
    """The database server of an instance."""

    name = "mariadb"

    def __init__(self, host: ServiceHost) -> None:
        self._host = host
        self.port = host.instance.ports["mariadb"]

    @property
    def admin_password(self) -> str:
        """Password of ADMIN, who may create databases and users."""
        return self._host.secrets.get("mariadb-admin")

    @property
    def control_plane_password(self) -> str:
        """Password of CONTROL_PLANE, owner of the schema of the same name."""
        return self._host.secrets.get("control-plane-database")

    def ensure(self, say: Say) -> str:
        folder = self._host.own_folder(self.name, USER)
        configuration = self._configuration()
        (folder / "mariadb.cnf").write_text(configuration)
        if not (folder / "data" / "mysql").exists():
            say("creating the data directory")
            self._install(folder)
        say("starting")
        self._host.processes.ensure(
            ProcessSpec(
                self.name,
                ["/usr/sbin/mariadbd", f"--defaults-file={VIEW}/mariadb.cnf"],
                user=USER,
                binds=[(folder, VIEW)],
                revision=configuration + self._host.certificate().certificate.read_text(),
                ready=lambda: _answers(folder / "run" / "mariadb.sock"),
                deadline=READY_SECONDS,
            )
        )
        self._ensure_accounts(folder / "run" / "mariadb.sock")
        return f"127.0.0.1:{self.port}"

    def health(self) -> Health:
        try:
            with closing(self.connect()) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT VERSION()")
                (version,) = cursor.fetchone() or ("?",)
        except (pymysql.MySQLError, OSError) as error:
            return Health(self.name, ok=False, message=str(error))
        return Health(self.name, ok=True, message=f"{version} at 127.0.0.1:{self.port}")

    def connect(self) -> "Connection[Any]":
        """An administrator's connection over TLS 1.3."""
        context = ssl.create_default_context(cafile=str(self._host.authority.certificate))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return pymysql.connect(
            host=LOOPBACK,
            port=self.port,
            user=ADMIN,
            password=self.admin_password,
            ssl=context,
            connect_timeout=5,
            read_timeout=30,
            autocommit=True,
        )

    def _configuration(self) -> str:
        return CONFIGURATION.format(
            view=VIEW,
            port=self.port,
            addresses=",".join(self._host.addresses),
            max_connections=MAX_CONNECTIONS,
        )

    def _install(self, folder: Path) -> None:
        """Make the system tables; done in another folder first, so that an interruption leaves no half."""
        draft = folder / "data.new"
        run(self.name, ["rm", "-rf", draft])
        run(
            self.name,
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={draft}",
                "--auth-root-authentication-method=socket",
                "--auth-root-socket-user=root",
                "--skip-test-db",
                "--skip-name-resolve",
            ],
            log=self._host.processes.log(self.name),
        )
        run(self.name, ["chown", "-R", f"{USER.uid}:{USER.gid}", draft])
        (folder / "data").rmdir()
        draft.rename(folder / "data")

    def _ensure_accounts(self, socket: Path) -> None:
        """The administrator and the control plane's schema and user, whatever was there before."""
        with closing(_root(socket)) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM mysql.global_priv WHERE User = ''")
            cursor.execute("DELETE FROM mysql.db WHERE Db IN ('test', 'test\\\\_%')")
            cursor.execute("DROP DATABASE IF EXISTS test")
            cursor.execute("FLUSH PRIVILEGES")
            for source in self._sources():
                _ensure_user(cursor, ADMIN, source, self.admin_password)
                cursor.execute(f"GRANT ALL ON *.* TO '{ADMIN}'@'{source}' WITH GRANT OPTION")
                _ensure_user(cursor, CONTROL_PLANE, source, self.control_plane_password)
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {CONTROL_PLANE}")
            for source in self._sources():
                pattern = CONTROL_PLANE.replace("_", "\\\\_")
                cursor.execute(f"GRANT ALL ON `{pattern}`.* TO '{CONTROL_PLANE}'@'{source}'")

    def _sources(self) -> list[str]:
        """Where the two may come from: this machine, and the instance's own pods and node."""
        ranges = self._host.instance.addresses
        return [
            LOOPBACK,
            f"{ranges.veth.network_address}/{ranges.veth.netmask}",
            f"{ranges.pods.network_address}/{ranges.pods.netmask}",
        ]


def _ensure_user(cursor: Cursor, user: str, source: str, password: str) -> None:
    cursor.execute(f"CREATE USER IF NOT EXISTS '{user}'@'{source}' REQUIRE SSL")
    cursor.execute(f"ALTER USER '{user}'@'{source}' IDENTIFIED BY %s REQUIRE SSL", (password,))


def _root(socket: Path) -> "Connection[Any]":
    """The machine's root through the socket, which needs no password."""
    return pymysql.connect(unix_socket=str(socket), user="root", connect_timeout=5, read_timeout=30, autocommit=True)


def _answers(socket: Path) -> bool:
    try:
        with closing(_root(socket)):
            return True
    except pymysql.OperationalError as error:
        if error.args[0] == ER.ACCESS_DENIED_ERROR:
            raise ComponentError("mariadb", "root may not log in through the socket") from error
        return False
