"""MariaDB: hardened before the first tenant, utf8mb4, TLS 1.3 only."""

import ssl
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection

from vivero_dev.backing.accounts import Account, Accounts
from vivero_dev.errors import DevError
from vivero_dev.health import Health
from vivero_dev.secret_store import SecretStore

# The server refuses connections beyond this; many tenants share it, each with a small pool.
MAX_CONNECTIONS = 1000
CONNECT_SECONDS = 5
READ_SECONDS = 30

OPTIONS = """\
[mariadbd]
skip_name_resolve = ON
local_infile = OFF
symbolic_links = OFF
ssl_ca = {folder}/ca.crt
ssl_cert = {folder}/tls.crt
ssl_key = {folder}/tls.key
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
# What a restore to a second needs (docs/backup.md).
server_id = 1
gtid_domain_id = 1
gtid_strict_mode = ON
log_bin = binlog
binlog_format = ROW
binlog_row_image = FULL
binlog_checksum = CRC32
sync_binlog = 1
innodb_flush_log_at_trx_commit = 1
binlog_expire_logs_seconds = 259200
# Else no tenant may make a trigger or a function. The log has rows, and nobody runs such a thing from it (ADR 0049).
log_bin_trust_function_creators = ON
"""

# Whoever reads the disk finds nothing that a tenant wrote. The tables of accounts are older than this; they hold digests.
ENCRYPTION = """\
plugin_load_add = file_key_management
file_key_management_filename = {keys}
file_key_management_encryption_algorithm = AES_CTR
innodb_encrypt_tables = FORCE
innodb_encrypt_log = ON
innodb_encrypt_temporary_tables = ON
# Encrypts what was there before.
innodb_encryption_threads = 1
aria_encrypt_tables = ON
encrypt_tmp_disk_tables = ON
encrypt_tmp_files = ON
encrypt_binlog = ON
"""
ENCRYPTION_KEY = "mariadb-encryption"


def options(folder: str) -> str:
    """The option file's text; certificates lie in `folder`, as the server sees it."""
    return OPTIONS.format(folder=folder, max_connections=MAX_CONNECTIONS)


def encryption(keys: str) -> str:
    """What the option file holds beside that, so that all is encrypted on the disk; `keys`: the path of `key_file`."""
    return ENCRYPTION.format(keys=keys)


def key_file(secrets: SecretStore) -> str:
    """The keys of the plugin file_key_management: one of 256 bits, made once."""
    return f"1;{secrets.get(ENCRYPTION_KEY)}\n"


def account_statements(accounts: Accounts, sources: Sequence[str]) -> list[str]:
    """SQL that removes the default accounts, and creates administrator, archiver and control plane for hosts in `sources`.

    Idempotent, except that it resets changed passwords.
    """
    admin, control, archiver = accounts.mariadb_admin, accounts.control_plane_database, accounts.mariadb_archiver
    statements = [
        "DELETE FROM mysql.global_priv WHERE User = ''",
        "DELETE FROM mysql.db WHERE Db IN ('test', 'test\\\\_%')",
        "DROP DATABASE IF EXISTS test",
        "FLUSH PRIVILEGES",
        f"CREATE DATABASE IF NOT EXISTS {control.username}",
    ]
    # In a grant `_` is a wildcard, so it is escaped.
    schema = control.username.replace("_", "\\_")
    for source in sources:
        statements += [
            *_user(admin, source),
            f"GRANT ALL ON *.* TO '{admin.username}'@'{source}' WITH GRANT OPTION",
            *_user(control, source),
            f"GRANT ALL ON `{schema}`.* TO '{control.username}'@'{source}'",
            *_user(archiver, source),
            f"GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO '{archiver.username}'@'{source}'",
        ]
    return statements


def _user(account: Account, source: str) -> list[str]:
    if not account.password.isalnum():
        raise DevError(f"the password of {account.username} could end its quotes")
    name = f"'{account.username}'@'{source}'"
    return [
        f"CREATE USER IF NOT EXISTS {name} REQUIRE SSL",
        f"ALTER USER {name} IDENTIFIED BY '{account.password}' REQUIRE SSL",
    ]


def connect(port: int, account: Account, authority: Path) -> "Connection[Any]":
    """A connection over TLS 1.3 from this machine."""
    context = ssl.create_default_context(cafile=str(authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return pymysql.connect(
        host="127.0.0.1",
        port=port,
        user=account.username,
        password=account.password,
        ssl=context,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        autocommit=True,
    )


def health(port: int, account: Account, authority: Path) -> Health:
    try:
        with closing(connect(port, account, authority)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            (version,) = cursor.fetchone() or ("?",)
    except (pymysql.MySQLError, OSError) as error:
        return Health("mariadb", ok=False, message=str(error))
    return Health("mariadb", ok=True, message=f"{version} at 127.0.0.1:{port}")
