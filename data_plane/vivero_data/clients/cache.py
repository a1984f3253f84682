"""The workspace's keys in Valkey: rate limit counters, sessions of a read-only one, results of reports, the access check for the proof."""

import secrets
import ssl
from collections.abc import Mapping
from typing import Any, Final

from valkey.asyncio import BlockingConnectionPool, Connection, Valkey
from valkey.exceptions import NoPermissionError
from vivero_web.counts import SharedCounts, asking
from vivero_web.errors import UnavailableError

from vivero_data.errors import IsolationError
from vivero_data.lib.hit_rates import Kept, looked_up, not_looked_up
from vivero_data.settings import CacheSecret

_TIMEOUT: Final = 1  # seconds; to get a pooled connection, to connect, and to read a reply
_CONNECTIONS: Final = 10


class Cache:
    """Connects lazily; every key has the prefix that our ACL allows."""

    def __init__(self, secret: CacheSecret, tls: ssl.SSLContext) -> None:
        self._prefix = secret.prefix
        pool = BlockingConnectionPool(
            connection_class=_TrustedConnection,
            tls=tls,
            host=secret.host,
            port=secret.port,
            username=secret.username,
            password=secret.password,
            timeout=_TIMEOUT,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            max_connections=_CONNECTIONS,
        )
        self._client = Valkey.from_pool(pool)
        self.counts = SharedCounts(self._client, f"{secret.prefix}limits:")
        self.sessions = ExpiringValues(self._client, secret.prefix, "sessions")
        self.reports = ExpiringValues(self._client, secret.prefix, "reports")

    async def prove(self) -> None:
        """Write, read and delete a key.

        Raises:
            UnavailableError: one of them failed.
        """
        name, value = f"{self._prefix}proof:{secrets.token_hex(8)}", secrets.token_hex(8)
        with asking():
            await self._client.set(name, value, ex=60)
            found = await self._client.get(name)
            await self._client.delete(name)
        if found != value.encode():
            raise UnavailableError("The cache did not return what was written.")

    async def check_isolation(self, neighbour: str) -> None:
        """Try to read a key of another workspace; `neighbour` is its id.

        Raises:
            IsolationError: the server allows it, whether or not the key exists.
            UnavailableError: the cache does not answer.
        """
        from vivero_core.model.naming import cache_prefix  # noqa: PLC0415  rarely used; saves memory

        with asking():
            try:
                await self._client.get(f"{cache_prefix(neighbour)}proof")
            except NoPermissionError:
                return
        raise IsolationError("The keys of another workspace are open to this one.")

    async def ping(self) -> None:
        """Check that the server answers.

        Raises:
            UnavailableError: it does not.
        """
        with asking():
            await self._client.ping()

    async def close(self) -> None:
        await self._client.aclose()


class ExpiringValues:
    """Texts of one kind, each with a time to live. Every method raises UnavailableError when there is no answer."""

    def __init__(self, client: Valkey, prefix: str, kind: Kept) -> None:
        self._client = client
        self._prefix = f"{prefix}{kind}:"
        self._kind = kind

    async def put(self, key: str, value: str, seconds: int) -> None:
        with asking():
            await self._client.set(self._prefix + key, value, ex=seconds)

    async def put_new(self, key: str, value: str, seconds: int) -> bool:
        """Whether there was none: of concurrent calls for one key, one is true."""
        with asking():
            return bool(await self._client.set(self._prefix + key, value, ex=seconds, nx=True))

    async def get(self, key: str) -> str | None:
        try:
            with asking():
                found: bytes | None = await self._client.get(self._prefix + key)
        except UnavailableError:
            not_looked_up(self._kind)
            raise
        looked_up(self._kind, found=found is not None)
        return found.decode() if found is not None else None

    async def extend(self, key: str, seconds: int) -> bool:
        """Let it live for so long from now on; whether it is there."""
        with asking():
            return bool(await self._client.expire(self._prefix + key, seconds))

    async def drop(self, key: str) -> None:
        with asking():
            await self._client.delete(self._prefix + key)


class _TrustedConnection(Connection):
    """A connection that uses the process's TLS context.

    The library would also trust the system's CAs and load them for each new
    connection, which takes 20 ms.
    """

    def __init__(self, *, tls: ssl.SSLContext, **options: Any) -> None:  # noqa: ANN401  passed through
        super().__init__(**options)
        self._tls = tls

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "ssl": self._tls}
