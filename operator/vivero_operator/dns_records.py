"""Reads TXT records, with a bounded wait; imported names keep dnspython out of memory until a host is verified."""

import asyncio
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from vivero_core.errors import BackendUnavailableError

if TYPE_CHECKING:
    from dns.nameserver import Nameserver

LOOKUP_SECONDS: Final = 5.0
"""For one name, over all servers and repetitions, and the wait for one's turn."""
PORT: Final = 53
"""Of DNS (RFC 1035)."""
AT_ONCE: Final = 8
_WITH_PORT: Final = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>[0-9]{1,5})")


class DnsRecords:
    """Asks the given servers, or those of this machine."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = list(servers)
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def texts(self, name: str) -> frozenset[str]:
        """The TXT records of a name; empty when DNS says that there are none.

        Raises:
            BackendUnavailableError: the lookup timed out or failed.
        """
        import dns.asyncresolver  # noqa: PLC0415  see above
        import dns.exception  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        try:
            async with asyncio.timeout(LOOKUP_SECONDS), self._turn:
                resolver = dns.asyncresolver.Resolver(configure=not self._servers)
                if self._servers:
                    resolver.nameservers = [_nameserver(one) for one in self._servers]
                answer = await resolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return frozenset()
        except (dns.exception.DNSException, OSError) as error:  # a TimeoutError is an OSError
            raise BackendUnavailableError("dns", f"{name}: lookup failed ({type(error).__name__})") from error
        return frozenset(b"".join(record.strings).decode(errors="replace") for record in answer)


def parse_server(address: str) -> tuple[str, int]:
    """An IP address, with a port where it is not DNS' own: 192.0.2.53, 192.0.2.53:5353, 2001:db8::53, [2001:db8::53]:53.

    Raises:
        ValueError: it is neither.
    """
    with_port = _WITH_PORT.fullmatch(address)
    if with_port is None:
        return str(ip_address(address)), PORT
    port = int(with_port["port"])
    if not 0 < port < 1 << 16:
        raise ValueError(f"{address!r} has no port between 1 and 65535")
    return str(IPv6Address(with_port["six"]) if with_port["six"] else IPv4Address(with_port["four"])), port


def _nameserver(address: str) -> "Nameserver":
    import dns.nameserver  # noqa: PLC0415  see above

    return dns.nameserver.Do53Nameserver(*parse_server(address))
