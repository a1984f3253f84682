"""Connections of HTTP clients that are closed when their client is."""

import asyncio
from typing import Any, Final
from weakref import WeakSet

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
        self._made: WeakSet[asyncio.Transport] = WeakSet()

    async def _create_connection(self, *arguments: Any, **named: Any) -> ResponseHandler:  # noqa: ANN401  aiohttp's own
        made = await super()._create_connection(*arguments, **named)
        if made.transport is not None:
            self._made.add(made.transport)
        return made

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        if not await _ended(self._made, GOODBYE_SECONDS):
            for transport in self._made:
                transport.abort()
            await _ended(self._made, GOODBYE_SECONDS)


async def _ended(transports: WeakSet[asyncio.Transport], seconds: float) -> bool:
    """Whether all of them are closed within these seconds."""
    protocols = [transport.get_protocol() for transport in transports]
    open_ones = [closed for made in protocols if isinstance(made, ResponseHandler) and (closed := made.closed)]
    if not open_ones:
        return True
    done, still_open = await asyncio.wait(open_ones, timeout=seconds)
    for closed in done:
        closed.exception()  # one that was reset is closed as well
    return not still_open
