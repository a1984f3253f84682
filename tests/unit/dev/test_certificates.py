import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from vivero_dev.certificates import Authority, KeyPair


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates")


def handshake(authority: Path, pair: KeyPair, name: str) -> str | None:
    """TLS version that a strict client and a server with `pair` agree on."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    server.load_cert_chain(pair.certificate, pair.key)
    client = ssl.create_default_context(cafile=str(authority))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()
    near.settimeout(10)
    far.settimeout(10)

    def serve() -> None:
        try:
            with server.wrap_socket(far, server_side=True) as secured:
                secured.recv(1)
        except (ssl.SSLError, ConnectionError):
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(near, server_hostname=name) as secured:
            secured.send(b"x")
            return secured.version()
    finally:
        near.close()
        thread.join(10)


@pytest.mark.parametrize("name", ["127.0.0.1", "acme.vivero.localhost"])
def test_strict_verification_accepts_a_server(authority: Authority, name: str) -> None:
    pair = authority.issue("server", ["127.0.0.1", "*.vivero.localhost"])
    assert handshake(authority.certificate, pair, name) == "TLSv1.3"


def test_a_name_it_was_not_made_for_is_refused(authority: Authority) -> None:
    pair = authority.issue("server", ["*.vivero.localhost"])
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority.certificate, pair, "example.org")


def test_another_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    pair = other.issue("server", ["127.0.0.1"])
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority.ensure(), pair, "127.0.0.1")


def test_a_good_certificate_is_kept(authority: Authority) -> None:
    first = authority.issue("server", ["127.0.0.1"]).certificate.read_bytes()
    assert authority.issue("server", ["127.0.0.1"]).certificate.read_bytes() == first


def test_other_names_or_another_authority_make_a_new_one(authority: Authority) -> None:
    first = authority.issue("server", ["127.0.0.1"]).certificate.read_bytes()
    second = authority.issue("server", ["127.0.0.1", "localhost"]).certificate.read_bytes()
    assert second != first
    (authority.certificate).unlink()
    assert authority.issue("server", ["127.0.0.1", "localhost"]).certificate.read_bytes() != second


def test_keys_are_their_owners_alone_and_groups_are_named(authority: Authority) -> None:
    pair = authority.issue("admin", organisations=["system:masters"])
    assert pair.key.stat().st_mode & 0o077 == 0
    subject = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).subject
    assert subject.rfc4514_string() == "CN=admin,O=system:masters"
