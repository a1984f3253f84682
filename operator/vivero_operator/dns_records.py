"""Reads TXT records, with a bounded wait; imported names keep dnspython out of memory until a host is verified."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from vivero_core.errors import BackendUnavailableError

if TYPE_CHECKING:
    from dns.nameserver import Nameserver

LOOKUP_SECONDS: Final = 5.0
AT_ONCE: Final = 8


class DnsRecords:
    """Asks the given servers, or those of this machine."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = list(servers)
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def texts(self, name: str) -> frozenset[str]:
        """The TXT records of a name; empty when DNS says that there are none.

        Raises:
            BackendUnavailableError: DNS gave no answer, or a fault.
        """
        import dns.asyncresolver  # noqa: PLC0415  see above
        import dns.exception  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        resolver = dns.asyncresolver.Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [_server(one) for one in self._servers]
        async with self._turn:
            try:
                answer = await resolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS)
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                return frozenset()
            except (dns.exception.DNSException, OSError) as error:
                raise BackendUnavailableError("dns", f"{name}: no answer ({type(error).__name__})") from error
        return frozenset(b"".join(record.strings).decode(errors="replace") for record in answer)


def _server(address: str) -> "Nameserver":
    """An address, with a port where it is not DNS' own: 127.0.0.1:5353."""
    import dns.nameserver  # noqa: PLC0415  see above

    host, _, port = address.rpartition(":") if address.count(":") == 1 else (address, "", "53")
    return dns.nameserver.Do53Nameserver(host, int(port))
