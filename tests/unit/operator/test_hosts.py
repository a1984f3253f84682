"""Customers' own hosts: whose they are, what a client sees, and certificates as clients judge them."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from reconcile.certificates import pem
from reconcile.world import NOW, tenant_body
from vivero_core.model.constants import Reason
from vivero_core.model.own_hosts import record_value
from vivero_core.model.tenant import Tenant
from vivero_operator.policies import certificates, hosts
from vivero_operator.policies.certificates import CertificateCheck
from vivero_operator.policies.hosts import Seen

HOST = "app.example.com"
PEM, KEY = pem(HOST, NOW - timedelta(days=1))
DER = base64.b64decode(b"".join(PEM.split(b"\n")[1:-2]))
FIRST_WORDS = {"contains", "cannot", "has", "does", "expired", "is"}


def tenant(name: str = "acme", proven: str | None = None, host: str = HOST, **spec: Any) -> Tenant:  # noqa: ANN401
    body = tenant_body(name, hosts=[host], **spec)
    body["metadata"]["uid"] = f"uid-{name}"
    if proven is not None:
        body["status"] = {"hosts": [{"host": host, "ready": True, "reason": "HostServed", "verifiedAt": proven}]}
    return Tenant.parse(body)


class TestWhose:
    @pytest.mark.parametrize("host", ["vivero.localhost", "www.vivero.localhost", "a.b.vivero.localhost"])
    def test_hosts_of_the_platform_are_for_slugs(self, host: str) -> None:
        refusal = hosts.refused(tenant(host=host), host, [], "vivero.localhost")
        assert refusal is not None
        assert refusal[0] is Reason.HOST_NOT_ALLOWED
        assert hosts.refused(tenant(), "notvivero.localhost", [], "vivero.localhost") is None

    def test_a_host_is_whose_proof_came_first(self) -> None:
        first, second = tenant("first", "2026-11-22T10:00:00Z"), tenant("second", "2026-11-22T11:00:00Z")
        refusal = hosts.refused(second, HOST, [first, second], "vivero.localhost")
        assert refusal == (Reason.HOST_TAKEN, f"Host {HOST} belongs to Tenant first, which verified it first")
        assert hosts.refused(first, HOST, [first, second], "vivero.localhost") is None

    def test_naming_it_gives_no_right_to_it(self) -> None:
        squatter, owner = tenant("squatter"), tenant("owner")
        assert hosts.refused(owner, HOST, [squatter, owner], "vivero.localhost") is None

    def test_who_does_not_want_it_any_more_does_not_keep_it(self) -> None:
        former = tenant("former", "2026-11-22T10:00:00Z")
        left = former.model_copy(update={"spec": former.spec.model_copy(update={"hosts": ()})})
        assert hosts.refused(tenant(), HOST, [left], "vivero.localhost") is None

    def test_every_tenant_and_host_has_a_value_of_its_own(self) -> None:
        values = {
            record_value(tenant(name).metadata.uid, host) for name in ("a", "b") for host in (HOST, "x.example.com")
        }
        assert len(values) == 4


class TestWords:
    @pytest.mark.parametrize(
        ("seen", "ready", "reason", "words"),
        [
            (Seen(), False, Reason.HOST_UNVERIFIED, "_vivero.app.example.com of type TXT"),
            (Seen(dns_fault="dns: no answer"), False, Reason.HOST_UNVERIFIED, "dns: no answer"),
            (Seen(verified_at=NOW), False, Reason.CERTIFICATE_MISSING, "spec.hostCertificates"),
            (Seen(verified_at=NOW, issuer="letsencrypt"), False, Reason.CERTIFICATE_MISSING, "letsencrypt"),
            (
                Seen(verified_at=NOW, certificate=CertificateCheck(NOW, "expired")),
                False,
                Reason.CERTIFICATE_INVALID,
                "expired",
            ),
            (Seen(verified_at=NOW, certificate=CertificateCheck(NOW, None)), True, Reason.HOST_SERVED, "2026-11-22"),
        ],
    )
    def test_what_a_client_sees(self, seen: Seen, ready: bool, reason: Reason, words: str) -> None:  # noqa: FBT001
        status = hosts.status(tenant(), HOST, seen)
        assert (status.ready, status.reason) == (ready, reason)
        assert words in status.message

    def test_it_is_routed_when_its_own_certificate_is_there_or_comes_that_way(self) -> None:
        waiting = hosts.status(tenant(), HOST, Seen(verified_at=NOW, issuer="letsencrypt"))
        unproven = hosts.status(tenant(), HOST, Seen(issuer="letsencrypt"))
        served = hosts.status(tenant(), HOST, Seen(verified_at=NOW, certificate=CertificateCheck(NOW, None)))
        assert [hosts.is_routed(one, issued=True) for one in (waiting, unproven, served)] == [True, False, True]
        assert [hosts.is_routed(one, issued=False) for one in (waiting, unproven, served)] == [False, False, True]

    def test_an_issued_one_that_has_expired_stays_routed(self) -> None:
        """Else the issuer forgets it, and it never comes back."""
        bad = CertificateCheck(NOW, "expired on 2026-11-22")
        issued = hosts.status(tenant(), HOST, Seen(verified_at=NOW, certificate=bad, issuer="letsencrypt"))
        assert (issued.ready, issued.reason) == (False, Reason.CERTIFICATE_INVALID)
        assert issued.message.startswith(
            "Routed; clients get certificate warnings until letsencrypt has issued another"
        )
        assert hosts.is_routed(issued, issued=True)


class TestCertificates:
    def test_one_that_clients_accept(self) -> None:
        certificate, key = pem(HOST, NOW - timedelta(days=1), 30)
        check = certificates.check_certificate(certificate, key, HOST, NOW)
        assert check == CertificateCheck(NOW + timedelta(days=29), None)

    @pytest.mark.parametrize(
        ("begins", "days", "host", "words"),
        [
            (-10, 5, HOST, "expired on 2026-11-17"),
            (5, 5, HOST, "is valid only from 2026-11-27"),
            (-1, 5, "other.example.com", "is not valid for app.example.com"),
            (-1, 5, "*.other.com", "is not valid for app.example.com"),
        ],
    )
    def test_one_that_clients_refuse(self, begins: int, days: int, host: str, words: str) -> None:
        certificate, key = pem(host, NOW + timedelta(days=begins), days)
        assert certificates.check_certificate(certificate, key, HOST, NOW).problem == words

    def test_what_cannot_be_used(self) -> None:
        certificate, key = pem(HOST, NOW)
        another, _ = pem(HOST, NOW, key=ec.generate_private_key(ec.SECP256R1()))
        assert certificates.check_certificate(b"no pem", key, HOST, NOW).problem == "is not valid PEM"
        assert (
            certificates.check_certificate(certificate, b"no pem", HOST, NOW).problem
            == "has a private key that cannot be parsed"
        )
        problem = certificates.check_certificate(another, key, HOST, NOW).problem
        assert problem == "does not match its private key"

    @given(data=st.data(), changes=st.integers(1, 3))
    @pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
    def test_one_with_changed_bytes_is_a_bad_one_and_no_fault_of_ours(self, data: st.DataObject, changes: int) -> None:
        broken = bytearray(DER)
        for _ in range(changes):
            broken[data.draw(st.integers(0, len(broken) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        text = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(broken) + b"-----END CERTIFICATE-----\n"
        check = certificates.check_certificate(text, KEY, HOST, NOW)
        assert check.problem is None or check.problem.split()[0] in FIRST_WORDS

    def test_one_of_another_version(self) -> None:
        odd = DER.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x12", 1)
        text = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(odd) + b"-----END CERTIFICATE-----\n"
        assert (
            certificates.check_certificate(text, KEY, HOST, NOW).problem == "contains something that cannot be parsed"
        )

    @given(st.binary(max_size=300))
    def test_no_bytes_at_all_are_a_fault_of_ours(self, text: bytes) -> None:
        assert certificates.check_certificate(text, KEY, HOST, NOW).problem == "is not valid PEM"
        assert certificates.check_certificate(PEM, text, HOST, NOW).problem == "has a private key that cannot be parsed"

    def test_a_key_under_a_password_cannot_be_used(self) -> None:
        locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
        assert (
            certificates.check_certificate(PEM, locked, HOST, NOW).problem == "has a private key that cannot be parsed"
        )

    def test_one_without_names_is_for_no_host(self) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
        builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        signed = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1)).sign(private, hashes.SHA256())
        key = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = signed.public_bytes(serialization.Encoding.PEM)
        assert certificates.check_certificate(chain, key, HOST, NOW).problem == f"is not valid for {HOST}"

    @given(st.from_regex(r"[a-z]{1,10}(\.[a-z]{1,10}){1,3}", fullmatch=True))
    def test_a_wildcard_stands_for_one_label(self, host: str) -> None:
        assert certificates.covers(f"*.{host}", f"www.{host}")
        assert certificates.covers(host.upper(), host)
        assert not certificates.covers(f"*.{host}", host)
        assert not certificates.covers(f"*.{host}", f"a.b.{host}")
