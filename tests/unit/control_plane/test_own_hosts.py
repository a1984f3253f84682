"""Names of a customer's own: what is taken for one, where each stands, and what becomes of a Tenant."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import tenant
from vivero_control.domain.tenants import own_hosts, policies
from vivero_control.domain.tenants.errors import WrongStateError
from vivero_core.model.constants import Reason
from vivero_core.model.naming import is_host
from vivero_core.model.own_hosts import HOSTS_MAX, record_value
from vivero_web.errors import InvalidInputError

DOMAIN = "vivero.example"
HOST = "app.example.com"


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        (" App.Example.COM. ", HOST),
        ("bücher.example.de", "xn--bcher-kva.example.de"),
        ("пример.example.рф", "xn--e1afmkfd.example.xn--p1ai"),
        ("straße.example.com", "xn--strae-oqa.example.com"),
        ("ａｐｐ.example.com", HOST),
    ],
)
def test_what_people_type_is_a_name_of_dns(typed: str, host: str) -> None:
    assert own_hosts.typed_host(typed) == host
    assert own_hosts.typed_host(own_hosts.shown_host(host)) == host


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        "localhost",
        "10.0.0.1",
        "[::1]",
        "https://app.example.com",
        "a.example.com/x",
        "a b.example.com",
        "*.example.com",
        "-a.example.com",
        "a..example.com",
        "app.example.com:443",
        "_dmarc.example.com",
        "a" * 64 + ".example.com",
        "xn--a.example.com",
        "\u202eapp.example.com",
    ],
)
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        own_hosts.typed_host(typed)
    assert set(refused.value.by_field) == {"host"}


@given(st.text(max_size=300))
def test_whatever_is_typed_it_is_a_name_or_refused(typed: str) -> None:
    try:
        host = own_hosts.typed_host(typed)
    except InvalidInputError:
        return
    assert is_host(host)


@given(st.text(max_size=80))
def test_every_name_is_shown(host: str) -> None:
    assert isinstance(own_hosts.shown_host(host), str)


def test_a_name_is_added_once_and_not_below_our_own_domain() -> None:
    assert policies.add_host(tenant(hosts=["a.example.com"]), HOST, DOMAIN) == {"hosts": ["a.example.com", HOST]}
    with pytest.raises(WrongStateError):
        policies.add_host(tenant(hosts=[HOST]), HOST, DOMAIN)
    with pytest.raises(WrongStateError):
        policies.add_host(tenant(hosts=[f"{n}.example.com" for n in range(HOSTS_MAX)]), HOST, DOMAIN)
    for ours in (DOMAIN, f"acme.{DOMAIN}"):
        with pytest.raises(InvalidInputError):
            policies.add_host(tenant(), ours, DOMAIN)
    assert policies.add_host(tenant(), f"not{DOMAIN}", DOMAIN)


def test_a_name_goes_with_the_certificate_that_a_person_brought() -> None:
    given_by_hand = [{"host": HOST, "secretName": "acme"}]
    both = tenant(hosts=["a.example.com", HOST], hostCertificates=given_by_hand)
    assert policies.remove_host(both, HOST) == {"hosts": ["a.example.com"], "hostCertificates": []}
    assert policies.remove_host(both, "a.example.com") == {"hosts": [HOST]}
    with pytest.raises(WrongStateError):
        policies.remove_host(tenant(), HOST)


def with_status(**status: Any) -> own_hosts.OwnHost:  # noqa: ANN401  any field of the status
    made = tenant(hosts=[HOST])
    known = {"host": HOST, "ready": False, "reason": "HostUnverified", **status}
    object.__setattr__(made, "status", type(made.status).model_validate({**made.status.dump(), "hosts": [known]}))
    (found,) = own_hosts.of_tenant(made)
    return found


def test_each_state_says_what_is_awaited_and_never_whose_a_name_is() -> None:
    (unseen,) = own_hosts.of_tenant(tenant(hosts=[HOST]))
    assert (unseen.proven, unseen.ready, unseen.record) == (False, False, f"_vivero.{HOST}")
    assert unseen.value == record_value(tenant().metadata.uid, HOST)
    assert "not found yet" in with_status().words
    assert with_status(reason="FromANewerOperator").words == ""
    assert [with_status(reason=one).refused for one in (Reason.HOST_UNVERIFIED, Reason.CERTIFICATE_MISSING)] == [
        False
    ] * 2
    taken = with_status(reason=Reason.HOST_TAKEN, message="belongs to Tenant brisa")
    assert ("brisa" in taken.words, taken.refused) == (False, True)
    until = datetime(2027, 2, 1, tzinfo=UTC)
    served = with_status(
        ready=True, reason=Reason.HOST_SERVED, verifiedAt="2026-12-01T00:00:00Z", certificateExpiresAt=until
    )
    assert (served.ready, served.proven, served.certificate_until) == (True, True, until)
    awaited = with_status(reason=Reason.CERTIFICATE_MISSING, verifiedAt="2026-12-01T00:00:00Z")
    assert (awaited.proven, awaited.ready, "certificate" in awaited.words) == (True, False, True)
