"""Where a webhook may lead: to the Internet, and never into a network of ours."""

import asyncio
from ipaddress import IPv4Address, ip_address

import pytest
from vivero_web.webhook_sender import WebhookSender, is_public, url_problem

INSIDE = (
    str(IPv4Address(0)), "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "192.0.2.1",
    "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "ff02::1", "2001:db8::1", "2002:a00:1::1", "64:ff9b::a00:1", "64:ff9b:1::a00:1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_of_a_network_of_ours_is_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://example.com/",
        "https://",
        "https://localhost/",
        "https://db.vivero.svc/",
        "https://x.localhost./",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com:99999/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nx: y",
        "https://[example.com/",
        f"https://example.com/{'x' * 2000}",
        "file:///etc/passwd",
    ],
)
def test_such_a_url_is_refused(url: str) -> None:
    assert url_problem(url)


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://hooks.example.com:8443/in?key=1", "https://93.184.215.14/"]
)
def test_such_a_url_is_taken(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize("found", [["10.0.0.1"], ["93.184.215.14", "127.0.0.1"], []])
def test_a_name_that_leads_into_our_network_gets_nothing(found: list[str]) -> None:
    outcome = asyncio.run(WebhookSender(find=lambda *_: found).send("https://example.com/", b"{}", {}))
    assert (outcome.delivered, "not on the Internet" in outcome.problem) == (False, True)
