from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.lib.tokens import AccessClaims, AccessTokens, read_ticket
from vivero_web.errors import NotSignedInError

KEY = "ab" * 32
TENANT = "abcdefghij"
TOKENS = AccessTokens(KEY, TENANT)
CLAIMS = AccessClaims(user_id=7, session_id=9)
TICKET_KEY = Ed25519PrivateKey.generate()


def public(key: Ed25519PrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def ticket(key: Ed25519PrivateKey = TICKET_KEY, **changes: Any) -> str:  # noqa: ANN401  any claim
    now = datetime.now(UTC)
    body = {
        "iss": "vivero-control-plane",
        "aud": TENANT,
        "sub": "owner@example.com",
        "jti": "signup-1",
        "iat": now,
        "exp": now + timedelta(minutes=5),
        **changes,
    }
    return jwt.encode({name: value for name, value in body.items() if value is not None}, key, algorithm="EdDSA")


def test_an_access_token_comes_back() -> None:
    assert TOKENS.read(TOKENS.issue(CLAIMS, datetime.now(UTC))) == CLAIMS


def test_an_access_token_lives_fifteen_minutes() -> None:
    now = datetime.now(UTC)
    assert TOKENS.read(TOKENS.issue(CLAIMS, now - timedelta(minutes=14)))
    with pytest.raises(NotSignedInError, match="expired"):
        TOKENS.read(TOKENS.issue(CLAIMS, now - timedelta(minutes=16)))


def test_an_access_token_that_was_read_before_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    token = TOKENS.issue(CLAIMS, now - timedelta(minutes=14))
    assert TOKENS.read(token) == CLAIMS
    monkeypatch.setattr("vivero_data.lib.tokens.time.time", (now + timedelta(seconds=61)).timestamp)
    with pytest.raises(NotSignedInError, match="expired"):
        TOKENS.read(token)


def test_anothers_access_token_is_refused() -> None:
    now = datetime.now(UTC)
    for stranger in (AccessTokens("cd" * 32, TENANT), AccessTokens(KEY, "otherworld")):
        with pytest.raises(NotSignedInError):
            TOKENS.read(stranger.issue(CLAIMS, now))


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    body = {"sub": "7", "sid": 9, "aud": TENANT, "iat": 1, "exp": 9999999999}
    key = "" if algorithm == "none" else bytes.fromhex(KEY * 2)
    with pytest.raises(NotSignedInError):
        TOKENS.read(jwt.encode(body, key, algorithm=algorithm))


@pytest.mark.parametrize("missing", ["sub", "sid", "exp", "iat", "aud"])
def test_every_claim_is_needed(missing: str) -> None:
    body = {"sub": "7", "sid": 9, "aud": TENANT, "iat": 1, "exp": 9999999999}
    del body[missing]
    with pytest.raises(NotSignedInError):
        TOKENS.read(jwt.encode(body, bytes.fromhex(KEY), algorithm="HS256"))


@given(st.text(max_size=100) | st.just("x" * 5000))
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(NotSignedInError):
        TOKENS.read(text)
    with pytest.raises(NotSignedInError):
        read_ticket(text, public(TICKET_KEY), TENANT)


def test_a_ticket_is_read() -> None:
    claims = read_ticket(ticket(), public(TICKET_KEY), TENANT)
    assert (claims.email, claims.jti) == ("owner@example.com", "signup-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"aud": "otherworld"},
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
        {"exp": datetime.now(UTC) + timedelta(hours=1)},
        {"jti": ""},
        {"jti": "x" * 129},
        {"jti": None},
        {"sub": None},
        {"iat": None},
    ],
)
def test_a_bad_ticket_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotSignedInError):
        read_ticket(ticket(**changes), public(TICKET_KEY), TENANT)


def test_a_ticket_signed_by_another_is_refused() -> None:
    with pytest.raises(NotSignedInError):
        read_ticket(ticket(Ed25519PrivateKey.generate()), public(TICKET_KEY), TENANT)
