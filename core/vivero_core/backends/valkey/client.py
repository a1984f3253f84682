"""CacheAdmin over valkey-py: blocking, so the operator calls it in threads."""

import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import valkey

from vivero_core.backends import names
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.survey import Survey, digests, tenant_in
from vivero_core.backends.tls import client_context
from vivero_core.backends.valkey import acl
from vivero_core.backends.valkey.errors import SYSTEM, translated
from vivero_core.errors import BackendProofError, BackendUnavailableError

ERASURE_SECONDS = 60.0  # a call erases for this long at most, then asks to be called again
PAGE = 1000  # keys looked at in one step: a millisecond of the server's only thread
PROBE_SECONDS = 60  # a probe's key outlives a crash by this


@dataclass(frozen=True, slots=True)
class Server:
    """A Valkey server and how long to wait for it, in seconds."""

    host: str
    port: int
    authority: str  # PEM text
    connect_timeout: float = 5.0
    answer_timeout: float = 10.0


class ValkeyAdmin:
    """Implements `CacheAdmin`; one for the life of the program, safe for threads."""

    def __init__(self, server: Server, admin: Credentials) -> None:
        self._server = server
        self._client = _connect(server, admin)

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # valkey-py types only part of itself

    def ensure_user(self, user: Credentials) -> bool:
        wanted = acl.wanted(user.name, user.secret)
        with translated(f"set up user {user.name}"):
            if self._present(user.name) == wanted:
                return False
            _run(self._client, "ACL", "SETUSER", user.name, *acl.rules(wanted))
            self._save()
            return True

    def prove(self, user: Credentials) -> float:
        started = time.perf_counter()
        written = secrets.token_hex(16)
        key = f"{acl.prefix(user.name)}vivero-proof-{secrets.token_hex(8)}"
        with translated(f"prove the cache of {user.name}"), _connect(self._server, user) as client:
            _run(client, "SET", key, written, "EX", PROBE_SECONDS)
            read = _run(client, "GET", key)
            _run(client, "DEL", key)
        if read != written:
            raise BackendProofError(SYSTEM, f"the cache of {user.name} returned something else than was written")
        return (time.perf_counter() - started) * 1000

    def user_exists(self, user: str) -> bool:
        with translated(f"look for user {user}"):
            return self._present(names.cache_user(user)) is not None

    def ping(self) -> None:
        with translated("ask for a sign of life"):
            _run(self._client, "PING")

    def survey(self) -> Survey:
        with translated("survey the users"):
            lines: list[str] = _run(self._client, "ACL", "LIST")
        return digests((tenant_in(line.split(" ", 2)[1], "vt"), line) for line in lines)

    def drop_user(self, user: str) -> bool:
        """The server ends the user's connections itself."""
        names.cache_user(user)
        with translated(f"drop user {user}"):
            existed = bool(_run(self._client, "ACL", "DELUSER", user))
            self._save()  # also when it was gone: a crash in between would bring it back at the next restart
            return existed

    def delete_keys(self, user: str) -> int:
        """Raises BackendUnavailableError when not done after a minute; call again to go on."""
        deadline = time.monotonic() + ERASURE_SECONDS
        deleted = 0
        with translated(f"erase the keys of {user}"):
            for keys in self._pages(f"{acl.prefix(user)}*"):
                deleted += int(_run(self._client, "UNLINK", *keys)) if keys else 0
                if time.monotonic() > deadline:
                    raise BackendUnavailableError(SYSTEM, f"many keys of {user}: erasing goes on")
        return deleted

    def _present(self, user: str) -> acl.Access | None:
        reply = _run(self._client, "ACL", "GETUSER", user)
        return None if reply is None else acl.present(reply)

    def _save(self) -> None:
        """Into the server's ACL file: without it a restart forgets the users."""
        _run(self._client, "ACL", "SAVE")

    def _pages(self, pattern: str) -> Iterator[list[str]]:
        cursor: Any = 0
        while True:
            cursor, keys = _run(self._client, "SCAN", cursor, "MATCH", pattern, "COUNT", PAGE)
            yield keys
            if int(cursor) == 0:
                return


def _run(client: valkey.Valkey, *command: str | int) -> Any:  # noqa: ANN401  a reply's shape is its command's
    return client.execute_command(*command)  # type: ignore[no-untyped-call]


class _TrustedConnection(valkey.Connection):
    """Over TLS to the named authority alone.

    valkey-py's own TLS connection also trusts every authority of the machine,
    and reads them all again for each connection, which takes 20 ms.
    """

    def __init__(self, *, authority: str, **settings: Any) -> None:  # noqa: ANN401  passed through
        super().__init__(**settings)  # type: ignore[no-untyped-call]
        self._authority = authority

    def _connect(self) -> ssl.SSLSocket:
        plain: socket.socket = super()._connect()  # type: ignore[no-untyped-call]
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
