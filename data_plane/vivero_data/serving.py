"""Runs the web server, and a second one for Prometheus metrics on a port that no ingress routes to.

The second costs 0.1 MiB: everything it needs is loaded already.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from litestar import Litestar
from litestar.datastructures import Headers
from litestar.types import Receive, Scope, Send
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

_DRAIN_SECONDS: Final = 20  # to finish requests at shutdown; below Kubernetes' grace period of 30
_KEEP_ALIVE_SECONDS: Final = 75  # longer than the proxy's 60, so that the proxy closes idle connections
_MAX_CONNECTIONS: Final = 2000
_MAX_SCRAPERS: Final = 20
_START_FAILED: Final = 3  # uvicorn's own exit status for it


class _MetricsServer(uvicorn.Server):
    """Leaves signal handling to the main server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(app: Litestar, listener: socket.socket, metrics_listener: socket.socket) -> int:
    """Serve until a signal; returns the exit status."""
    config = uvicorn.Config(
        app,
        lifespan="on",
        # uvloop needs 2.4 MiB and four threads more, without less CPU time a request here.
        loop="asyncio",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # we read X-Forwarded-For ourselves, from the right
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    scrapes = uvicorn.Config(
        metrics,
        lifespan="off",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MAX_SCRAPERS,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    asyncio.run(_serve_both(server, listener, _MetricsServer(scrapes), metrics_listener))
    return 0 if server.started else _START_FAILED


async def _serve_both(
    server: uvicorn.Server, listener: socket.socket, metrics_server: uvicorn.Server, metrics_listener: socket.socket
) -> None:
    scraped = asyncio.create_task(metrics_server.serve([metrics_listener]))
    try:
        await server.serve([listener])
    finally:
        metrics_server.should_exit = True
        await scraped


async def metrics(scope: Scope, _: Receive, send: Send) -> None:
    """ASGI app: Prometheus metrics at /metrics, with exemplars for who asks for OpenMetrics; 404 elsewhere."""
    found = scope["path"] == "/metrics"
    encode, kind = choose_encoder(Headers.from_scope(scope).get("accept", ""))
    body, kind = (encode(REGISTRY), kind) if found else (b"not found\n", "text/plain")
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
