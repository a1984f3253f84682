"""Checks whether a certificate is valid for a host, and until when. Pure.

cryptography's X.509 half is imported where it is used: it costs 8 MiB, and
most tenants have no hosts of their own.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


_ODD: Final = "contains something that cannot be parsed"


@dataclass(frozen=True)
class CertificateCheck:
    """The result of checking a certificate like a TLS client."""

    expires_at: datetime | None
    problem: str | None
    """Completes a sentence "The certificate ..."; None if there is none."""


def check_certificate(certificates: bytes, key: bytes, host: str, now: datetime) -> CertificateCheck:
    """The first certificate of the chain (PEM), its private key (PEM), the host that clients ask for."""
    from cryptography import x509  # noqa: PLC0415  see above
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    try:
        leaf = x509.load_pem_x509_certificates(certificates)[0]
    except ValueError:
        return CertificateCheck(None, "is not valid PEM")
    except x509.InvalidVersion:
        return CertificateCheck(None, _ODD)
    try:
        # Most of a certificate is parsed lazily.
        return CertificateCheck(leaf.not_valid_after_utc, _problem_of_key(leaf, key) or _problem(leaf, host, now))
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return CertificateCheck(None, _ODD)


def _problem_of_key(leaf: "Certificate", key: bytes) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  see above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "has a private key that cannot be parsed"
    return None if private.public_key() == leaf.public_key() else "does not match its private key"


def _problem(leaf: "Certificate", host: str, now: datetime) -> str | None:
    if now >= leaf.not_valid_after_utc:
        return f"expired on {leaf.not_valid_after_utc:%Y-%m-%d}"
    if now < leaf.not_valid_before_utc:
        return f"is valid only from {leaf.not_valid_before_utc:%Y-%m-%d}"
    return None if any(covers(name, host) for name in _names(leaf)) else f"is not valid for {host}"


def covers(name: str, host: str) -> bool:
    """RFC 6125: exactly, or a wildcard for exactly one label on the left."""
    name, host = name.lower(), host.lower()
    if name.startswith("*."):
        return "." in host and host.partition(".")[2] == name[2:]
    return name == host


def _names(leaf: "Certificate") -> list[str]:
    from cryptography import x509  # noqa: PLC0415  see above

    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    names: list[str] = extension.value.get_values_for_type(x509.DNSName)
    return names
