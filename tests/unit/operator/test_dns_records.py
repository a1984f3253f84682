"""TXT records, asked for at a real DNS server on the loopback: what is there, what is not, and what gets no answer."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address

import dns.rcode
import dns.resolver
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.operator.name_server import NameServer, serving
from unit.operator.waiting import until
from vivero_core.errors import BackendUnavailableError
from vivero_operator import dns_records
from vivero_operator.dns_records import DnsRecords, parse_server
from vivero_operator.settings import Settings

NAME = "_vivero.app.example.com"
PROOF = "vivero-verification=abcdefghijklmnopqrstuvwxyz234567"


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    async with serving(NameServer()) as one:
        yield one


@pytest.fixture
def records(server: NameServer) -> DnsRecords:
    return DnsRecords([server.address])


class TestAnswers:
    async def test_all_records_of_the_name(self, server: NameServer, records: DnsRecords) -> None:
        server.texts[NAME] = [[PROOF], ["v=spf1 -all"]]
        assert await records.texts(NAME) == {PROOF, "v=spf1 -all"}
        assert set(server.asked) == {NAME}, "no search list is tried"

    async def test_a_record_of_several_strings_is_one_text(self, server: NameServer, records: DnsRecords) -> None:
        server.texts[NAME] = [["a" * 255, "b" * 45]]
        assert await records.texts(NAME) == {"a" * 255 + "b" * 45}

    async def test_answers_that_are_too_long_for_a_datagram(self, server: NameServer, records: DnsRecords) -> None:
        server.texts[NAME] = [[f"{number:03}" + "x" * 250] for number in range(30)] + [[PROOF]]
        found = await records.texts(NAME)
        assert len(found) == 31
        assert PROOF in found

    async def test_an_alias_is_followed(self, server: NameServer, records: DnsRecords) -> None:
        server.aliases[NAME] = "proof.dns.example.net"
        server.texts["proof.dns.example.net"] = [[PROOF]]
        assert await records.texts(NAME) == {PROOF}

    async def test_what_is_no_text_does_no_harm(self, server: NameServer, records: DnsRecords) -> None:
        server.texts[NAME] = [["\\255\\254"], [PROOF]]
        assert PROOF in await records.texts(NAME)


class TestNothing:
    async def test_no_such_name(self, server: NameServer, records: DnsRecords) -> None:
        server.codes[NAME] = dns.rcode.NXDOMAIN
        assert await records.texts(NAME) == frozenset()

    async def test_no_record_of_that_kind(self, records: DnsRecords) -> None:
        assert await records.texts(NAME) == frozenset()


class TestFaults:
    @pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.FORMERR, dns.rcode.NOTIMP])
    async def test_a_fault_is_not_nothing(
        self, server: NameServer, records: DnsRecords, code: dns.rcode.Rcode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dns_records, "LOOKUP_SECONDS", 0.3)
        server.codes[NAME] = code
        with pytest.raises(BackendUnavailableError, match=rf"dns: {NAME}: lookup failed"):
            await records.texts(NAME)

    @pytest.mark.parametrize("how", ["silent", "garbled"])
    async def test_no_usable_answer_in_time(
        self, server: NameServer, records: DnsRecords, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dns_records, "LOOKUP_SECONDS", 0.3)
        getattr(server, how).add(NAME)
        with pytest.raises(BackendUnavailableError):
            await records.texts(NAME)
        assert len(server.asked) <= 1, "there is time for one question, not for a resolver's usual repetitions"

    async def test_no_server_listens(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dns_records, "LOOKUP_SECONDS", 0.3)
        with pytest.raises(BackendUnavailableError):
            await DnsRecords(["127.0.0.1:1"]).texts(NAME)

    async def test_a_second_server_answers_for_the_first(
        self, server: NameServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dns_records, "LOOKUP_SECONDS", 10)
        server.texts[NAME] = [[PROOF]]
        assert await DnsRecords(["127.0.0.1:1", server.address]).texts(NAME) == {PROOF}

    @pytest.mark.parametrize("name", [f"_vivero.{'a' * 64}.com", "_vivero." + "a." * 125 + "com", "a..b"])
    async def test_a_name_that_dns_does_not_know(self, records: DnsRecords, server: NameServer, name: str) -> None:
        with pytest.raises(BackendUnavailableError):
            await records.texts(name)
        assert server.asked == []

    async def test_a_machine_without_a_resolver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def none(*_: object, **__: object) -> None:
            raise dns.resolver.NoResolverConfiguration

        monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", none)
        with pytest.raises(BackendUnavailableError):
            await DnsRecords([]).texts(NAME)


class TestBounds:
    async def test_few_at_once(self, server: NameServer, records: DnsRecords) -> None:
        names = [f"_vivero.a{number}.example.com" for number in range(3 * dns_records.AT_ONCE)]
        server.silent.update(names)
        looks = [asyncio.create_task(records.texts(name)) for name in names]
        await until(lambda: len(set(server.asked)) >= dns_records.AT_ONCE)
        await asyncio.sleep(0.1)
        assert len(set(server.asked)) == dns_records.AT_ONCE
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    async def test_the_wait_for_a_turn_counts(
        self, server: NameServer, records: DnsRecords, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many names have no answer, the wait for one of them is no longer."""
        monkeypatch.setattr(dns_records, "LOOKUP_SECONDS", 0.5)
        names = [f"_vivero.a{number}.example.com" for number in range(10 * dns_records.AT_ONCE)]
        server.silent.update(names)
        found = await asyncio.gather(*map(records.texts, names), return_exceptions=True)
        assert all(isinstance(one, BackendUnavailableError) for one in found)
        assert len(set(server.asked)) < len(names), "who waited too long for a turn asks nothing any more"


class TestServers:
    @given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), st.integers(1, 65535))
    def test_an_address_with_or_without_a_port(self, address: IPv4Address | IPv6Address, port: int) -> None:
        with_port = f"[{address}]:{port}" if isinstance(address, IPv6Address) else f"{address}:{port}"
        assert parse_server(str(address)) == (str(address), 53)
        assert parse_server(with_port) == (str(address), port)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "dns.example.com",
            "192.0.2.53:",
            "192.0.2.53:0",
            "192.0.2.53:65536",
            "192.0.2.53:-1",
            "192.0.2.53:٥٣",
            "192.0.2.53]:53",
            "[192.0.2.53]:53",
            "[2001:db8::53]",
            "[2001:db8::53]53",
            "2001:db8::53]:53",
            "[[2001:db8::53]]:53",
            "192.0.2.53 ",
            "https://192.0.2.53",
        ],
    )
    def test_anything_else_is_refused_at_the_start(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011  its words are ip_address' own in part
            parse_server(text)
        with pytest.raises(ValueError, match="dns_servers"):
            Settings(data_plane_image="image:1", dns_servers=(text,))

    @given(st.text(max_size=60))
    def test_whatever_is_taken_is_an_address_and_a_port(self, text: str) -> None:
        try:
            host, port = parse_server(text)
        except ValueError:
            return
        assert parse_server(f"[{host}]:{port}" if ":" in host else f"{host}:{port}") == (host, port)
