"""CacheAdmin over valkey-py: blocking, so the operator calls it in threads.

Users are the server's own (ACL commands), or kept elsewhere (`elasticache.py`); keys are the server's in any case.
"""

import secrets
import socket
import ssl
import time
from dataclasses import dataclass, replace
from typing import Any, Final

import valkey

from vivero_core.backends import name_checks
from vivero_core.backends.addresses import checked_host
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.survey import Inventory, Survey, digests, holdings, tenant_of
from vivero_core.backends.tls import client_context
from vivero_core.backends.ttl_cache import TtlCache
from vivero_core.backends.valkey import acl
from vivero_core.backends.valkey.errors import SYSTEM, translated
from vivero_core.errors import BackendProofError, BackendUnfinishedError

ERASURE_SECONDS: Final = 5.0  # a call erases for this long at most, then asks to be called again
PAGE: Final = 1000  # keys looked at in one step: a millisecond of the server's only thread
PROBE_SECONDS: Final = 60  # a probe's key outlives a crash by this


@dataclass(frozen=True, slots=True)
class Server:
    """A Valkey server and how long to wait for it, in seconds."""

    host: str
    port: int
    authority: str  # PEM text
    connect_timeout: float = 5.0
    answer_timeout: float = 10.0


class ValkeyKeys:
    """One server as its administrator and as its tenants use it, without its users; safe for threads."""

    def __init__(self, server: Server, admin: Credentials) -> None:
        # Fail fast: what can never work is an error here, not at the first call.
        checked_host(server.host, SYSTEM)
        client_context(server.authority)
        self._server = server
        self._client = _connect(server, admin)
        self._scans: dict[
            str, tuple[str, Any]
        ] = {}  # where the deletion of a user's keys continues: run of the server, cursor

    def close(self) -> None:
        self._client.close()

    def prove(self, user: Credentials) -> float:
        started = time.perf_counter()
        written = secrets.token_hex(16)
        key = f"{acl.prefix(user.name)}vivero-proof-{secrets.token_hex(8)}"
        with translated(f"prove the cache of {user.name}"), _connect(self._server, user) as client:
            _run(client, "SET", key, written, "EX", PROBE_SECONDS)
            read = _run(client, "GET", key)
            _run(client, "DEL", key)
        if read != written:
            raise BackendProofError(SYSTEM, f"the cache of {user.name} did not return what was written")
        return (time.perf_counter() - started) * 1000

    def ping(self) -> None:
        with translated("ping"):
            _run(self._client, "PING")

    def delete_keys(self, user: str) -> int:
        pattern = f"{acl.prefix(user)}*"
        with translated(f"erase the keys of {user}"):
            server_run = self._server_run()
            known = self._scans.pop(user, None)
            # A cursor means something to the run of the server that gave it, and to no other.
            cursor = known[1] if known is not None and known[0] == server_run else 0
            deadline, deleted = time.monotonic() + ERASURE_SECONDS, 0
            while True:
                cursor, keys = _run(self._client, "SCAN", cursor, "MATCH", pattern, "COUNT", PAGE)
                deleted += int(_run(self._client, "UNLINK", *keys)) if keys else 0
                if int(cursor) == 0:
                    return deleted
                if time.monotonic() > deadline:
                    self._scans[user] = (server_run, cursor)
                    raise BackendUnfinishedError(
                        SYSTEM, f"many keys besides those of {user}, deletion continues at the next call"
                    )

    def _server_run(self) -> str:
        """Changes when the server restarts."""
        return str(_run(self._client, "INFO", "server")["run_id"])


class ValkeyAdmin(ValkeyKeys):
    """Implements `CacheAdmin`; one for the life of the program."""

    def __init__(self, server: Server, admin: Credentials) -> None:
        super().__init__(server, admin)
        self._unmanaged = TtlCache(lambda: acl.unmanaged_users(self._list()))
        self._spelling: dict[str, Any] = {}  # how this server writes our rules, where that differs

    def ensure_user(self, user: Credentials) -> list[Correction]:
        with translated(f"set up user {user.name}"):
            corrections = self._ensure_own(user) + self._ensure_alone(user.name)
            if corrections:
                self._save()
        return corrections

    def user_exists(self, user: str) -> bool:
        with translated(f"look for user {user}"):
            return self._present(name_checks.cache_user(user)) is not None

    def survey(self) -> Survey:
        with translated("survey the users"):
            lines = self._list()
        self._unmanaged.put(acl.unmanaged_users(lines))
        return digests((ident, line) for line in lines for ident in acl.tenants_in(line))

    def inventory(self) -> Inventory:
        with translated("list the users"):
            return holdings((tenant_of(name, "vt"), "cache user") for name in self._users())

    def drop_user(self, user: str) -> bool:
        """The server ends the users' connections itself."""
        name_checks.cache_user(user)
        with translated(f"drop user {user}"):
            found = [name for name in self._users() if name.startswith(user)]
            if found:
                _run(self._client, "ACL", "DELUSER", *found)
            self._save()  # also when it was gone: a crash in between would bring it back at the next restart
            return bool(found)

    def _ensure_own(self, user: Credentials) -> list[Correction]:
        wanted, present = acl.wanted(user.name, user.secret), self._present(user.name)
        if present == replace(wanted, **self._spelling):
            return []
        _run(self._client, "ACL", "SETUSER", user.name, *acl.rules(wanted))
        written = self._present(user.name)
        if written is not None and written != replace(wanted, **self._spelling):
            self._spelling = {"flags": written.flags, "commands": written.commands, "rest": written.rest}
        return [Correction.CACHE_RULES if acl.is_former(present, user.name, user.secret) else Correction.CACHE_USER]

    def _ensure_alone(self, user: str) -> list[Correction]:
        """Delete other users in the tenant's name; take its patterns from all others."""
        found = self._unmanaged.get().get(user.removeprefix("vt"), frozenset())
        if found:
            self._unmanaged.invalidate()
        named = sorted(name for name in found if name.startswith(user))
        if named:
            _run(self._client, "ACL", "DELUSER", *named)
        replies = [(name, _run(self._client, "ACL", "GETUSER", name)) for name in sorted(found.difference(named))]
        for name, reply in replies:
            if reply is not None:
                _run(self._client, "ACL", "SETUSER", name, *acl.rules_without(user, reply))
        return [Correction.UNMANAGED_CACHE_USER] * bool(named) + [Correction.UNMANAGED_CACHE_RIGHTS] * bool(replies)

    def _present(self, user: str) -> acl.Access | None:
        reply = _run(self._client, "ACL", "GETUSER", user)
        return None if reply is None else acl.present(reply)

    def _list(self) -> list[str]:
        lines: list[str] = _run(self._client, "ACL", "LIST")
        return lines

    def _users(self) -> list[str]:
        found: list[str] = _run(self._client, "ACL", "USERS")
        return found

    def _save(self) -> None:
        """Into the server's ACL file: without it a restart forgets the users."""
        _run(self._client, "ACL", "SAVE")


def _run(client: valkey.Valkey, *command: str | int) -> Any:  # noqa: ANN401  a reply's shape is its command's
    return client.execute_command(*command)


class _TrustedConnection(valkey.Connection):
    """Over TLS to the named authority alone.

    valkey-py's own TLS connection also trusts every authority of the machine,
    and reads them all again for each connection, which takes 20 ms.
    """

    def __init__(self, *, authority: str, **settings: Any) -> None:  # noqa: ANN401  passed through
        super().__init__(**settings)  # type: ignore[no-untyped-call]  # valkey-py types only part of itself
        self._authority = authority

    def _connect(self) -> ssl.SSLSocket:
        plain: socket.socket = super()._connect()  # type: ignore[no-untyped-call]  # as above
        try:
            return client_context(self._authority).wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


def _connect(server: Server, login: Credentials) -> valkey.Valkey:
    pool = valkey.ConnectionPool(
        connection_class=_TrustedConnection,
        authority=server.authority,
        host=server.host,
        port=server.port,
        username=login.name,
        password=login.secret,
        socket_connect_timeout=server.connect_timeout,
        socket_timeout=server.answer_timeout,
        health_check_interval=30,  # seconds of idleness after which a pooled connection is tried first
        decode_responses=True,
    )
    return valkey.Valkey.from_pool(pool)  # from_pool: closing the client closes the pool
