"""Connections of HTTP clients that are closed when their client is."""

import asyncio
from typing import Any, Final
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler

GOODBYE_SECONDS: Final = 1.0
"""How long the other side has to answer the end of TLS; without an answer the connection is left to the system."""


class Connector(aiohttp.TCPConnector):
    """Its `close` waits until each connection is closed.

    aiohttp forgets a connection that is not kept, such as that of a watch that was cancelled, as soon as it has begun to
    say goodbye. Where the program ends then, the socket would stay open until it is collected.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  aiohttp's own
        super().__init__(**options)
        self._made: WeakSet[ResponseHandler] = WeakSet()

    async def _create_connection(self, *arguments: Any, **named: Any) -> ResponseHandler:  # noqa: ANN401  aiohttp's own
        made = await super()._create_connection(*arguments, **named)
        self._made.add(made)
        return made

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        open_ones = [closed for made in self._made if (closed := made.closed) is not None]
        if open_ones:
            await asyncio.wait(open_ones, timeout=GOODBYE_SECONDS)
