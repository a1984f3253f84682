"""Before a server: counts every connection that is tried, also while the server is away, which no proxy can that is
off itself.

To its clients an outage is a connection that is reset at once (DOWN) or that says nothing (SILENT).
"""

import asyncio
import contextlib
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any, Self

from faults.plan import Outage

_CHUNK = 2**16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Gate:
    """Use it as an async context manager."""

    upstream: tuple[str, int]
    arrivals: list[float] = field(default_factory=list)
    """When each connection came, by the monotonic clock."""
    port: int = 0
    _outage: Outage | None = None
    _open: set["asyncio.Task[Any]"] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._break()

    async def fail(self, outage: Outage) -> None:
        """From now on, also for the connections there are."""
        self._outage = outage
        await self._break()

    async def heal(self) -> None:
        """New connections pass; those that were kept waiting break, as they would when a server comes back."""
        self._outage = None
        await self._break()

    def between(self, begin: float, end: float) -> list[float]:
        return [at for at in self.arrivals if begin <= at < end]

    async def _break(self) -> None:
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals.append(time.monotonic())
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        await asyncio.wait({task})
        raw: socket.socket = writer.get_extra_info("socket")
        if task.cancelled() or self._outage is Outage.DOWN:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self._outage:
            case Outage.DOWN:
                return
            case Outage.SILENT:
                await asyncio.get_running_loop().create_future()  # until it is cancelled
        with contextlib.suppress(OSError):
            up_reader, up_writer = await asyncio.open_connection(*self.upstream)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pump(reader, up_writer))
                    group.create_task(_pump(up_reader, writer))
            except* OSError:
                pass  # one side broke the connection, and so do we
            finally:
                up_writer.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
