"""A free port; waits for connections that are being closed: TLS says goodbye after `close`, and a loop that ends first leaves them open."""

import asyncio
import socket
from typing import Any

GOODBYE_SECONDS = 5.0


def free_port() -> int:
    """One on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def open_sockets() -> int:
    """How many sockets the running loop watches, its own among them."""
    loop: Any = asyncio.get_running_loop()
    return len(loop._selector.get_map())  # noqa: SLF001  a loop tells of its transports in no other way


async def until_closed(before: int) -> None:
    """Returns when no more sockets are open than before; a connection that nobody closes is reported when it is collected."""
    for _ in range(round(GOODBYE_SECONDS / 0.01)):
        if open_sockets() <= before:
            return
        await asyncio.sleep(0.01)
