"""Connections to Valkey: short time limits, because everything we keep there has an answer for its absence."""

from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio import SSLConnection as RedisSSLConnection
from redis.asyncio.connection import ConnectionPool as RedisPool
from valkey.asyncio import BlockingConnectionPool, SSLConnection, Valkey

from vivero_control.settings import Settings

CONNECT_SECONDS: Final = 1.0
QUEUE_CONNECT_SECONDS: Final = 5.0  # nobody waits for it, and a busy machine needs its time for a TLS handshake
ANSWER_SECONDS: Final = 1  # a counter that takes longer is worth less than the request it holds up
POOL: Final = 50


def _options(settings: Settings) -> dict[str, Any]:
    at = settings.cache
    return {
        "host": at.host,
        "port": at.port,
        "username": at.username,
        "password": at.password.get_secret_value(),
        "ssl_ca_certs": str(settings.platform.ca) if settings.platform.ca else None,
        "ssl_check_hostname": True,
        "ssl_min_version": settings.tls().minimum_version,
        "socket_connect_timeout": CONNECT_SECONDS,
    }


def client(settings: Settings) -> Valkey:
    """For limits and sessions. Who finds all connections in use waits for one, as long as for an answer."""
    connections = BlockingConnectionPool(
        connection_class=SSLConnection,
        max_connections=POOL,
        timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        **_options(settings),
    )
    return Valkey.from_pool(connections)


def queue_client(settings: Settings) -> Redis:
    """For SAQ, which brings redis-py; no answer limit, because its workers wait for jobs."""
    options = _options(settings) | {"socket_connect_timeout": QUEUE_CONNECT_SECONDS}
    return Redis(connection_pool=RedisPool(connection_class=RedisSSLConnection, **options))
