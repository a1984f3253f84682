"""Certificates for tests, of hosts that no one has."""

import base64
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def pem(
    host: str, begins: datetime, days: int = 90, *, key: ec.EllipticCurvePrivateKey | None = None
) -> tuple[bytes, bytes]:
    """(certificate, private key) for one host."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key((key or private).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(private, hashes.SHA256())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(serialization.Encoding.PEM), secret


def secret_body(
    name: str, host: str, begins: datetime, namespace: str = "vivero-system", *, days: int = 90
) -> dict[str, object]:
    """As a person hands it in."""
    certificate, key = pem(host, begins, days)
    return {
        "kind": "Secret",
        "apiVersion": "v1",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name, "namespace": namespace, "labels": {"vivero.dev/host-certificate": "true"}},
        "data": {"tls.crt": base64.b64encode(certificate).decode(), "tls.key": base64.b64encode(key).decode()},
    }
