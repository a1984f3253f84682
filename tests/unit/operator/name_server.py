"""A DNS server of its own for one test: real packets over UDP and TCP on the loopback, answers as the test says."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

UDP_SIZE = 512
"""Bytes that an answer over UDP may have; longer ones are cut, and asked for again over TCP."""


@dataclass
class NameServer:
    """What it answers, by name."""

    texts: dict[str, list[list[str]]] = field(default_factory=dict)
    """TXT records, each a list of strings."""
    aliases: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dns.rcode.Rcode] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    garbled: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, packet: bytes) -> bytes | None:
        question = dns.message.from_wire(packet)
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if name in self.silent:
            return None
        if name in self.garbled:
            return packet[:2] + b"\xff" * 7
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.RA
        reply.set_rcode(self.codes.get(name, dns.rcode.NOERROR))
        owner = name
        if name in self.aliases:
            owner = self.aliases[name]
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{owner}."))
        records = self.texts.get(owner, ())
        if records:
            strings = [" ".join(f'"{part}"' for part in record) for record in records]
            reply.answer.append(dns.rrset.from_text_list(f"{owner}.", 60, "IN", "TXT", strings))
        return reply.to_wire(max_size=65535)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        wire = self._server.answer(data)
        if wire is None or self._transport is None:
            return
        if len(wire) > UDP_SIZE:
            cut = dns.message.make_response(dns.message.from_wire(data))
            cut.flags |= dns.flags.TC
            wire = cut.to_wire()
        self._transport.sendto(wire, addr)


def _connected(server: NameServer) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2))
        wire = server.answer(await reader.readexactly(length))
        if wire is not None:
            writer.write(len(wire).to_bytes(2) + wire)
            await writer.drain()
        writer.close()

    return serve


@asynccontextmanager
async def serving(server: NameServer) -> AsyncIterator[NameServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        free.bind(("127.0.0.1", 0))
        server.port = free.getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(server), local_addr=("127.0.0.1", server.port)
    )
    listening = await asyncio.start_server(_connected(server), "127.0.0.1", server.port)
    try:
        yield server
    finally:
        transport.close()
        listening.close()
        await listening.wait_closed()
