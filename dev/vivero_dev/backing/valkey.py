"""Valkey: TLS only, users in an ACL file, no default user."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import valkey

from vivero_dev.backing.accounts import Account, Accounts
from vivero_dev.health import Health

SOCKET_SECONDS = 5

CONFIGURATION = """\
port 0
tls-port {port}
bind {addresses}
tls-cert-file {folder}/tls.crt
tls-key-file {folder}/tls.key
tls-ca-cert-file {folder}/ca.crt
tls-auth-clients no
tls-protocols TLSv1.3
aclfile {data}/users.acl
dir {data}
appendonly yes
# What a crash may lose is one second of cache and queue wake-ups; rows come first.
appendfsync everysec
maxmemory 256mb
maxmemory-policy noeviction
# A tenant's user reaches one database, and holds back so much of the memory that all share: what it sends
# (a value, a transaction's commands) and what it does not read.
databases 1
client-query-buffer-limit 1mb
client-output-buffer-limit normal 32mb 8mb 60
daemonize no
logfile ""
"""

# By name, as for tenants (vivero_core.backends.valkey.acl): limits, sessions with their script, and the worker's wake-up.
CONTROL_PLANE_RULES = (
    "~control:* resetchannels &control:* -@all +auth +hello +ping +client|setname +client|setinfo"
    " +multi +exec +discard +watch +unwatch +eval +evalsha +script|load"
    " +get +set +setex +del +exists +expire +ttl +pttl +incr +incrby +decr +decrby"
    " +publish +subscribe +unsubscribe"
)


def configuration(*, folder: str, data: str, port: int, addresses: Sequence[str]) -> str:
    """The configuration file's text; certificates in `folder` and data in `data`, as the server sees them."""
    return CONFIGURATION.format(folder=folder, data=data, port=port, addresses=" ".join(addresses))


def acl_file(accounts: Accounts) -> str:
    """The initial users of a server. Afterwards the server owns the file and saves the tenants' users into it."""
    admin, control = accounts.valkey_admin, accounts.control_plane_cache
    return (
        "user default off resetchannels -@all\n"
        f"user {admin.username} on #{_digest(admin.password)} ~* &* +@all\n"
        f"user {control.username} on #{_digest(control.password)} {CONTROL_PLANE_RULES}\n"
    )


def client(port: int, account: Account, authority: Path) -> valkey.Valkey:
    """A client over TLS from this machine; close it after use."""
    return valkey.Valkey(
        host="127.0.0.1",
        port=port,
        username=account.username,
        password=account.password,
        ssl=True,
        ssl_ca_certs=str(authority),
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
    )


def health(port: int, account: Account, authority: Path) -> Health:
    try:
        with client(port, account, authority) as connection:
            version = connection.info("server")["valkey_version"]
    except (valkey.ValkeyError, OSError) as error:
        return Health("valkey", ok=False, message=str(error))
    return Health("valkey", ok=True, message=f"{version} at 127.0.0.1:{port}")


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
