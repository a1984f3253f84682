"""One-time logins."""

from datetime import timedelta
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from unit.control_plane.builders import NOW
from vivero_control.domain.signups.access import LoginTickets, TicketKeyError
from vivero_core.tracing.context import read


def pem(key: object) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()  # type: ignore[attr-defined, no-any-return]


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("trace", [None, TRACE])
def test_the_ticket_is_for_one_workspace_one_owner_and_ten_minutes(trace: str | None) -> None:
    key = Ed25519PrivateKey.generate()
    url = LoginTickets(pem(key)).login_url(
        "https://acme.example.com/",
        tenant_id="abcdefghij",
        email="a@example.com",
        ticket_id="t1",
        now=NOW,
        trace=read(trace),
    )
    parts = urlsplit(url)
    assert (parts.netloc, parts.path, parts.query) == ("acme.example.com", "/login/ticket", "")
    claims = jwt.decode(
        parts.fragment,
        key.public_key(),
        algorithms=["EdDSA"],
        audience="abcdefghij",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["iss"] == "vivero-control-plane"
    assert (claims["sub"], claims["jti"]) == ("a@example.com", "t1")
    assert claims.get("traceparent") == trace
    assert claims["exp"] - claims["iat"] == timedelta(minutes=10).total_seconds()


@pytest.mark.parametrize("text", ["", "no key", pem(generate_private_key(SECP256R1()))])
def test_another_kind_of_key_is_refused_at_start_up(text: str) -> None:
    with pytest.raises(TicketKeyError):
        LoginTickets(text)
