"""The gate itself: passes on, counts, and fails in the ways it says."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from faults.gate import Gate
from faults.plan import Outage


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, Gate(("127.0.0.1", server.sockets[0].getsockname()[1])) as gate:
        yield gate


async def _ask(gate: Gate) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    writer.write(b"hello")
    return reader, writer


async def test_what_passes_is_counted(gate: Gate) -> None:
    reader, writer = await _ask(gate)
    assert await reader.read(100) == b"hello"
    writer.write_eof()
    assert await reader.read(100) == b""
    writer.close()
    assert len(gate.arrivals) == 1


async def test_down_resets_old_and_new_connections_and_counts_them(gate: Gate) -> None:
    old, old_writer = await _ask(gate)
    assert await old.read(100) == b"hello"
    await gate.fail(Outage.DOWN)
    with pytest.raises(ConnectionResetError):
        await old.read(100)
    new, new_writer = await _ask(gate)
    with pytest.raises(ConnectionResetError):
        await new.read(100)
    assert len(gate.arrivals) == 2
    for writer in (old_writer, new_writer):
        writer.close()


async def test_silent_says_nothing_until_it_is_healed(gate: Gate) -> None:
    await gate.fail(Outage.SILENT)
    silent, silent_writer = await _ask(gate)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(silent.read(100), 0.1)
    await gate.heal()
    with pytest.raises(ConnectionResetError):
        await silent.read(100)
    reader, writer = await _ask(gate)
    assert await reader.read(100) == b"hello"
    for one in (silent_writer, writer):
        one.close()
