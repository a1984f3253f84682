"""The probe whether a workspace is reachable, with a real TLS server in place of the ingress."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from pydantic import AnyHttpUrl
from vivero_control.domain.signups.reachability import ANSWER_BYTES, Ingress, address_of
from vivero_control.settings import IngressSettings, PlatformSettings, Settings
from vivero_core.backends import connections
from vivero_dev.certificates import Authority

DOMAIN = "vivero.localhost"


class Server:
    """Records requests, and answers with one status line."""

    def __init__(self) -> None:
        self.answer = "204 No Content"
        self.body = b""
        self.names: list[str | None] = []
        self.heads: list[list[str]] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.heads.append(head)
        writer.write(f"HTTP/1.1 {self.answer}\r\nContent-Length: {len(self.body)}\r\n\r\n".encode() + self.body)
        await writer.drain()
        await reader.read()
        writer.close()

    def see_name(self, _: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        self.names.append(name)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[Server]:
    made = Server()
    pair = authority.issue("ingress", [DOMAIN, f"*.{DOMAIN}"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    context.sni_callback = made.see_name
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.port = listener.sockets[0].getsockname()[1]
    yield made
    listener.close()


def settings(port: int, ca: Path | None, address: str | None = "127.0.0.1") -> Settings:
    return Settings.model_construct(
        public_url=AnyHttpUrl(f"https://{DOMAIN}:8443"),
        platform=PlatformSettings(ca=ca),
        ingress=IngressSettings(address=address, port=port),
    )


async def test_it_probes_like_a_browser_without_a_connection(server: Server, authority: Authority) -> None:
    async with Ingress(settings(server.port, authority.certificate)) as ingress:
        assert [await ingress.probe("acme", "abcdefghij") for _ in range(3)] == [True] * 3
    assert server.names == [f"acme.{DOMAIN}"] * 3, "a connection for each question"
    assert server.heads[0][0] == "GET /healthz/abcdefghij HTTP/1.1"
    assert f"Host: acme.{DOMAIN}:8443" in server.heads[0]


def connected_to(port: int) -> int:
    """How many sockets of this machine are connected to a port (proc_pid_net(5): the state 01 is ESTABLISHED)."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


async def test_no_connection_is_left_when_it_is_closed(server: Server, authority: Authority) -> None:
    async with Ingress(settings(server.port, authority.certificate)) as ingress:
        await asyncio.gather(*(ingress.probe("acme", "abcdefghij") for _ in range(20)))
    assert connected_to(server.port) == 0


@pytest.fixture
def without_goodbye(authority: Authority) -> Iterator[int]:
    """The port of a server that answers one request and then does nothing: not even to the end of TLS."""
    pair, stopped = authority.issue("silent", [DOMAIN, f"*.{DOMAIN}"]), threading.Event()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)

    def serve() -> None:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65_536)
            secured.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            stopped.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        stopped.set()
        thread.join()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_connection_whose_other_side_says_nothing_any_more_is_cut(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
    without_goodbye: int,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also on the loop of the program that runs in a pod, whose transports are another's."""
    monkeypatch.setattr(connections, "GOODBYE_SECONDS", 0.2)

    async def ask_and_leave() -> None:
        async with Ingress(settings(without_goodbye, authority.certificate)) as ingress:
            assert await ingress.probe("acme", "abcdefghij")
            assert connected_to(without_goodbye) == 1, "it waits for the other side's goodbye"
        assert connected_to(without_goodbye) == 0

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(ask_and_leave())


@pytest.mark.parametrize("answer", ["200 OK", "302 Found\r\nLocation: /", "404 Not Found", "503 Service Unavailable"])
async def test_every_other_answer_is_no(server: Server, authority: Authority, answer: str) -> None:
    server.answer = answer
    async with Ingress(settings(server.port, authority.certificate)) as ingress:
        assert not await ingress.probe("acme", "abcdefghij")
    assert len(server.heads) == 1, "where it is sent to is not asked"


async def test_it_asks_a_workspace_something_and_takes_what_it_says_with_200(
    server: Server, authority: Authority
) -> None:
    async with Ingress(settings(server.port, authority.certificate)) as ingress:
        server.answer, server.body = "200 OK", b"{}"
        assert await ingress.ask("acme", "/internal/v1/usage", "signed") == b"{}"
        assert "Authorization: Bearer signed" in server.heads[0]
        server.body = b"x" * (2 * ANSWER_BYTES)
        answer = await ingress.ask("acme", "/internal/v1/usage", "signed")
        assert answer is not None
        assert len(answer) <= ANSWER_BYTES, "no more is read than is used"
        server.answer = "503 Service Unavailable"
        assert await ingress.ask("acme", "/internal/v1/usage", "signed") is None
    assert await Ingress(settings(server.port, None)).ask("acme", "/x", "signed") is None, "closed"


async def test_an_untrusted_or_unreachable_server_is_not_reachable(server: Server, authority: Authority) -> None:
    async with Ingress(settings(server.port, None)) as ingress:
        assert not await ingress.probe("acme", "abcdefghij")
    assert server.heads == []
    async with Ingress(settings(1, authority.certificate)) as ingress:
        assert not await ingress.probe("acme", "abcdefghij")
    assert not await Ingress(settings(server.port, authority.certificate)).probe("acme", "abcdefghij"), "closed"


def test_without_an_address_the_public_name_is_resolved_without_search_domains() -> None:
    assert address_of(settings(443, None, address=None), f"acme.{DOMAIN}") == f"acme.{DOMAIN}.:8443"


@pytest.mark.parametrize("address", ["", "http://ingress", "ingress/path", "in gress", "a@b", "-x", "a" * 254])
def test_an_address_must_be_a_host_name(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        IngressSettings(address=address)
