"""Connections to Valkey: short time limits, because everything we keep there has an answer for its absence."""

from typing import Any, Final

from valkey.asyncio import BlockingConnectionPool, ConnectionPool, SSLConnection, Valkey

from vivero_control.settings import Settings

CONNECT_SECONDS: Final = 1.0
PATIENT_SECONDS: Final = 5.0  # nobody waits for it, and a busy machine needs its time for a TLS handshake
CHECK_SECONDS: Final = 15.0  # a connection on which nothing comes is asked whether it stands
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


def patient_client(settings: Settings) -> Valkey:
    """For what waits for news, so without a limit for answers; with connections of its own."""
    options = _options(settings) | {"socket_connect_timeout": PATIENT_SECONDS}
    return Valkey.from_pool(
        ConnectionPool(connection_class=SSLConnection, health_check_interval=CHECK_SECONDS, **options)
    )
