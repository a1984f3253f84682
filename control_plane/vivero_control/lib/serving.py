"""Runs one web server, or two in one process: the second on another port, for as long as the first."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from typing import Final

import uvicorn
from litestar import Litestar

GRACE_SECONDS: Final = 20  # below the pod's 30: open streams are told to come back elsewhere
START_FAILED: Final = 3  # uvicorn's own exit status for it


def listening(app: Litestar, host: str, port: int) -> uvicorn.Config:
    """A server of our own kind."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        # A request to upgrade is answered like any other: nothing here speaks WebSocket.
        ws="none",
        # X-Forwarded-For is read by vivero_web.current_request, which knows whom to trust.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class _Beside(uvicorn.Server):
    """Leaves the signals to the main server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(main: uvicorn.Config, beside: uvicorn.Config | None = None) -> None:
    """Until a signal, or until the application cannot start: then the process ends with a status of its own."""
    server = uvicorn.Server(main)
    with asyncio.Runner(loop_factory=main.get_loop_factory()) as runner:
        runner.run(_serve(server, _Beside(beside) if beside else None))
    if not server.started:
        sys.exit(START_FAILED)


async def _serve(server: uvicorn.Server, beside: uvicorn.Server | None) -> None:
    if beside is None:
        await server.serve()
        return
    second = asyncio.create_task(beside.serve())
    try:
        await server.serve()
    finally:
        beside.should_exit = True
        await second
