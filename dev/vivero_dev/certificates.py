"""The local certificate authority and what it signs.

TLS 1.3 is spoken everywhere on the local platform, so everything that listens
needs a certificate that Python 3.13's strict verification accepts: key usage,
basic constraints and both key identifiers present.
"""

import datetime as dt
import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
# Browsers refuse server certificates that live longer than 398 days.
LEAF_DAYS = 365
# The next `up` renews a certificate that expires sooner.
RENEW_DAYS = 30


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder; created on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "ca.crt"
        self._key = folder / "ca.key"

    def ensure(self) -> Path:
        """Create the authority unless it exists; returns its certificate."""
        with self._lock():
            if not (self._key.exists() and _outlives_renewal(self.certificate)):
                self._make()
        return self.certificate

    def issue(self, name: str, hosts: Iterable[str] = (), *, organisations: Iterable[str] = ()) -> KeyPair:
        """A certificate for a server (`hosts`: names and addresses) and client called `name`.

        An existing one is reused if it is not about to expire, has the same names and was signed by this authority.
        `organisations` become groups in Kubernetes.
        """
        self.ensure()
        pair = KeyPair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        names = _general_names(hosts)
        with self._lock():
            if not self._is_valid(pair, names):
                self._sign(pair, name, names, organisations)
        return pair

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Steps run in parallel, and each issues certificates."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vivero local platform")])
        certificate = (
            _builder(subject, subject, key.public_key(), AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(self._key, _private_pem(key), mode=0o600)
        _write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def _sign(self, pair: KeyPair, name: str, names: list[x509.GeneralName], organisations: Iterable[str]) -> None:
        authority = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        signer = serialization.load_pem_private_key(self._key.read_bytes(), password=None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self._key} is not an elliptic-curve key")
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in organisations]
            + [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        )
        builder = (
            _builder(subject, authority.subject, key.public_key(), LEAF_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(signer, hashes.SHA256())
        _write(pair.key, _private_pem(key), mode=0o600)
        _write(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def _is_valid(self, pair: KeyPair, names: list[x509.GeneralName]) -> bool:
        if not (pair.key.exists() and _outlives_renewal(pair.certificate)):
            return False
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        authority = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        signed_by = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return signed_by.key_identifier == own.digest and _names_of(certificate) == set(names)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # Backdated, so that rounding never makes it valid only in the future.
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    return [_general_name(host) for host in hosts]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(IPv4Address(ip_address(host)))
    except ValueError:
        return x509.DNSName(host)


def _names_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _outlives_renewal(file: Path) -> bool:
    if not file.exists():
        return False
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    limit = dt.datetime.now(dt.UTC) + dt.timedelta(days=RENEW_DAYS)
    return certificate.not_valid_after_utc > limit


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes, *, mode: int) -> None:
    """Replace the file atomically, with its mode set before its content is written."""
    draft = file.with_suffix(file.suffix + ".tmp")
    draft.touch(mode=mode)
    draft.chmod(mode)
    draft.write_bytes(content)
    draft.replace(file)
