"""Connections of HTTP clients that are closed when their client is."""

import asyncio
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler

GOODBYE_SECONDS: Final = 1.0
"""How long the other side has to answer the end of TLS; without an answer the connection is cut."""


class Connector(aiohttp.TCPConnector):
    """Its `close` waits until each connection is closed.

    aiohttp forgets a connection that is not kept, such as that of a watch that was cancelled, as soon as it has begun to
    say goodbye. Where the program ends then, the socket would stay open until it is collected.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  aiohttp's own
        super().__init__(**options)
        self._open: dict[asyncio.Future[None], asyncio.Transport] = {}
        """By what tells of its end; a transport of uvloop cannot be referred to weakly."""

    async def _create_connection(self, *arguments: Any, **named: Any) -> ResponseHandler:  # noqa: ANN401  aiohttp's own
        made = await super()._create_connection(*arguments, **named)
        if made.transport is not None and (closed := made.closed) is not None:
            self._open[closed] = made.transport
            closed.add_done_callback(self._forget)
        return made

    def _forget(self, closed: asyncio.Future[None]) -> None:
        del self._open[closed]
        if not closed.cancelled():
            closed.exception()  # one that was reset is closed as well

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        if not await self._ended():
            for transport in [*self._open.values()]:
                transport.abort()
            await self._ended()

    async def _ended(self) -> bool:
        """Whether all connections are closed within GOODBYE_SECONDS."""
        if not self._open:
            return True
        _, still_open = await asyncio.wait([*self._open], timeout=GOODBYE_SECONDS)
        return not still_open
