"""An application of this event loop on a port of 127.0.0.1, and what people type into a shell to use it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from socket import socket
from typing import Any, cast

import uvicorn
from litestar.types import ASGIApp

COMMAND_SECONDS = 60.0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the tests."""
        yield


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Its address; the application's life is not begun and not ended here."""
    config = uvicorn.Config(cast("Any", app), "127.0.0.1", 0, lifespan="off", ws="none", log_config=None)
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    await server.ready.wait()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


async def in_shell(program: str, folder: Path, environment: Mapping[str, str], *, by: str = "bash") -> str:
    """What a program prints, which a shell (or `by`, another interpreter) runs in a folder; fails if it fails."""
    process = await asyncio.create_subprocess_exec(
        by,
        *(["-euo", "pipefail"] if by == "bash" else []),
        "-c",
        program,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, f"{program}\nended with {process.returncode}\n{out.decode()}\n{err.decode()}"
    return out.decode()
