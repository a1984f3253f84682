"""Sends a webhook to an address that somebody typed: https, public addresses only, nothing followed.

The name is resolved once, every address is checked, and the connection goes to one that was checked; the certificate is
checked for the name. So neither a name that leads into our network nor one that changes meanwhile gets there.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, Self
from urllib.parse import urlsplit

import msgspec
from urllib3 import BaseHTTPResponse, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

URL_MAX: Final = 2000
_PORT: Final = 443
_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 10.0
WHOLE_SECONDS: Final = 15.0
"""Of an attempt: a receiver that sends a byte now and then keeps to the limit of each read, and would hold all others up."""
_TRANSLATED: Final = IPv6Network("64:ff9b::/32")  # NAT64: an IPv4 address, perhaps of ours, behind it
_ENDINGS: Final = (".localhost", ".local", ".internal", ".svc", ".cluster")

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]


class Outcome(msgspec.Struct, frozen=True):
    """What came of an attempt: the answer's status, or why there is none."""

    status: int | None
    problem: str
    answer: str = ""
    """The beginning of what was answered, where the sender keeps one."""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  HTTP's successes


def url_problem(url: str) -> str | None:
    """Why nothing is sent to a URL, as far as it tells by itself."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "This is no URL."
    checks = (
        (len(url) <= URL_MAX, f"Use at most {URL_MAX} characters."),
        (url.isascii() and url.isprintable() and " " not in url, "Write it in ASCII, without spaces."),
        (parts.scheme == "https" and host, "Use an address that begins with https://."),
        ("@" not in parts.netloc, "Leave out user and password; the signature says that it is us."),
        (not parts.fragment, "Leave out what follows the #."),
        (_may_be_public(host), "This address is not on the Internet."),
    )
    return next((problem for right, problem in checks if not right), None)


def _may_be_public(host: str) -> bool:
    try:
        return is_public(ip_address(host))
    except ValueError:
        return "." in host and not host.endswith(_ENDINGS)


def is_public(address: Address) -> bool:
    """Whether it is of the Internet: not of this machine, a private network, a cloud's metadata, or many at once."""
    if isinstance(address, IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inside is not None:
            return is_public(inside)
        if address in _TRANSLATED:
            return False
    return address.is_global and not address.is_multicast


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class _Limit:
    """Ends the connections that are made under it when their time is up, whatever waits for them."""

    def __init__(self, seconds: float) -> None:
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self.ended = False
        """Whether it was up."""

    @property
    def connection(self) -> type[HTTPSConnection]:
        sockets = self._sockets

        class Limited(HTTPSConnection):
            """Known from before its handshake on, which a receiver can draw out as well."""

            def _new_conn(self) -> socket.socket:
                made = super()._new_conn()
                sockets.append(made.dup())
                return made

        return Limited

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for one in self._sockets:
            one.close()

    def _end(self) -> None:
        self.ended = True
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class WebhookSender:
    """Sends one request at a time to each address, in a thread: this library does not await.

    It keeps at most `kept_bytes` of an answer, of what comes at once.
    """

    def __init__(
        self,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        find: Resolve = resolve,
        allowed: Callable[[Address], bool] = is_public,
        kept_bytes: int = 0,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self._tls = tls
        self._find = find
        self._allowed = allowed
        self._kept_bytes = kept_bytes
        self._whole_seconds = whole_seconds

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        return await asyncio.to_thread(self._send, url, body, headers)

    def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
        try:
            addresses = self._find(host, port)
        except (OSError, UnicodeError):
            return Outcome(None, "The name of the host is not known.")
        if not addresses or not all(self._allowed(ip_address(one)) for one in addresses):
            return Outcome(None, "The host has an address that is not on the Internet.")
        path = parts.path or "/"
        try:
            with (
                _Limit(self._whole_seconds) as limit,
                HTTPSConnectionPool(
                    addresses[0],
                    port,
                    timeout=Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
                    retries=False,
                    ssl_context=self._tls(),
                    server_hostname=host,
                    assert_hostname=host,
                ) as pool,
            ):
                pool.ConnectionCls = limit.connection
                answer = pool.urlopen(
                    "POST",
                    f"{path}?{parts.query}" if parts.query else path,
                    body=body,
                    headers={**headers, "host": parts.netloc},
                    redirect=False,
                    preload_content=False,
                )
                if limit.ended:
                    # What was read of a line counts as a whole one when the connection ends, "200" among it.
                    return Outcome(None, "No answer in time.")
                said = self._beginning(answer)
                answer.close()
                problem = "" if answer.status < 300 else f"It answered {answer.status}."  # noqa: PLR2004  as `delivered`
                return Outcome(answer.status, problem, said)
        except (HTTPError, OSError, ValueError) as error:
            return Outcome(None, f"No answer ({type(error).__name__}).")

    def _beginning(self, answer: BaseHTTPResponse) -> str:
        """Of what comes at once: an answer whose text breaks off has its status all the same."""
        if not self._kept_bytes:
            return ""
        try:
            return answer.read1(self._kept_bytes).decode(errors="replace")
        except (HTTPError, OSError):
            return ""
