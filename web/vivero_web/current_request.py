"""The request at hand: its id, and the client address that limits count by.

The id is in every log line, problem and audit row, and in the answer's X-Request-ID.

X-Forwarded-For is a list to which every proxy appends its own peer. What is left of our proxies' entries was written by
the caller and proves nothing. So it counts only from a peer that is a proxy of ours, and of it only the entry that our
outermost proxy wrote.
"""

import re
import secrets
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

REQUEST_ID_HEADER: Final = "x-request-id"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Empty outside a request."""
    return _request_id.get()


def accept_request_id(offered: str | None) -> str:
    """Set the request id: the client's (the ingress makes one) if it is harmless to log, else a new one."""
    request_id = offered if offered and _REQUEST_ID.fullmatch(offered) else secrets.token_hex(16)
    _request_id.set(request_id)
    return request_id


Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

UNKNOWN: Final = "unknown"
IPV6_HOUSEHOLD: Final = 64  # a household gets at least this prefix, and may use any address in it
_caller: ContextVar[str] = ContextVar("caller", default="")


def current_caller() -> str:
    """Client address of the request at hand, as limits count it; empty outside a request."""
    return _caller.get()


def set_current_caller(caller: str) -> None:
    """From now on in this request."""
    _caller.set(caller)


_AGENT_MAX: Final = 200
_agent: ContextVar[str] = ContextVar("agent", default="")


def current_agent() -> str:
    """What the client of the request at hand says that it is; empty outside a request. It proves nothing."""
    return _agent.get()


def set_current_agent(agent: str) -> None:
    """From now on in this request: what of it can be read, up to a length."""
    _agent.set("".join(char for char in agent[:_AGENT_MAX] if char.isascii() and char.isprintable()))


_api_key: ContextVar[str] = ContextVar("api_key", default="")


def current_api_key() -> str:
    """Beginning of the API key that the request at hand was made with; empty of a person, and outside a request."""
    return _api_key.get()


def set_current_api_key(prefix: str) -> None:
    """From now on in this request."""
    _api_key.set(prefix)


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies in front of a program.

    Attributes:
        hops: how many of them append an entry; with 0 the header is ignored.
        networks: where they are; None where nobody else can connect, which a NetworkPolicy sees to.
    """

    hops: int
    networks: Sequence[Network] | None = None

    def caller(self, peer: str, forwarded: Sequence[str]) -> Address | None:
        """The caller's address; None when the transport has none.

        Args:
            peer: address of the TCP connection.
            forwarded: the X-Forwarded-For headers in order.
        """
        own = _parse(peer)
        if not self.hops or not self._includes(own):
            return own
        entries = [entry.strip() for header in forwarded for entry in header.split(",")]
        return (_parse(entries[-self.hops]) if len(entries) >= self.hops else None) or own

    def _includes(self, peer: Address | None) -> bool:
        if self.networks is None:
            return True
        return peer is not None and any(peer.version == net.version and peer in net for net in self.networks)


def counted_as(address: Address | None) -> str:
    """The key of limits: the address, for IPv6 its /64 network."""
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), IPV6_HOUSEHOLD), strict=False))
    return str(address)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
