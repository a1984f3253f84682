"""Who is asking."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_web.current_request import Proxies, counted_as

NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fc00::/7")]
ONE = Proxies(1, NETWORKS)


@pytest.mark.parametrize(
    ("peer", "forwarded", "hops", "expected"),
    [
        ("203.0.113.9", [], 1, "203.0.113.9"),
        ("10.1.2.3", ["198.51.100.7"], 1, "198.51.100.7"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.7"], 1, "198.51.100.7"),
        ("10.1.2.3", ["1.1.1.1", "198.51.100.7"], 1, "198.51.100.7"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.7, 10.9.9.9"], 2, "198.51.100.7"),
        ("203.0.113.9", ["1.1.1.1"], 1, "203.0.113.9"),  # no proxy of ours: the header proves nothing
        ("10.1.2.3", ["1.1.1.1"], 0, "10.1.2.3"),
        ("10.1.2.3", ["1.1.1.1"], 2, "10.1.2.3"),
        ("10.1.2.3", ["nonsense"], 1, "10.1.2.3"),
        ("10.1.2.3", ["::ffff:198.51.100.7"], 1, "198.51.100.7"),
        ("fd00::1", ["[2001:db8::1]"], 1, "2001:db8::1"),
    ],
)
def test_only_what_our_own_proxy_wrote_counts(peer: str, forwarded: list[str], hops: int, expected: str) -> None:
    assert Proxies(hops, NETWORKS).caller(peer, forwarded) == ip_address(expected)


@given(st.lists(st.text(max_size=40), max_size=5))
def test_no_header_changes_who_an_outsider_is(forwarded: list[str]) -> None:
    assert ONE.caller("203.0.113.9", forwarded) == ip_address("203.0.113.9")


@given(st.lists(st.ip_addresses().map(str), max_size=5))
def test_what_the_caller_wrote_does_not_matter(written: list[str]) -> None:
    header = ", ".join([*written, "198.51.100.7"])
    assert ONE.caller("10.1.2.3", [header]) == ip_address("198.51.100.7")


def test_a_household_of_ipv6_is_one() -> None:
    assert counted_as(ip_address("2001:db8:1:2:3::4")) == counted_as(ip_address("2001:db8:1:2:ffff::1"))
    assert counted_as(ip_address("2001:db8:1:3::1")) != counted_as(ip_address("2001:db8:1:2::1"))
    assert counted_as(ip_address("198.51.100.7")) == "198.51.100.7"
    assert counted_as(None) == "unknown"
    assert ONE.caller("", []) is None


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.1.2.3", ""])
def test_where_nobody_else_can_connect_every_peer_is_a_proxy(peer: str) -> None:
    assert Proxies(1).caller(peer, ["1.1.1.1, 198.51.100.7"]) == ip_address("198.51.100.7")
