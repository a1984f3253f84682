"""Webhooks' signatures: only the provider's, only of this very body, only of now."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW
from vivero_control.domain.billing.errors import SignatureError
from vivero_control.domain.billing.signatures import HEADER_MAX, TOLERANCE, check, sign, signed_at

SECRET = "whsec_5f2d"
SECOND = timedelta(seconds=1)


def refused(header: str, body: bytes, now: object = NOW) -> bool:
    try:
        check(SECRET, header, body, now)  # type: ignore[arg-type]
    except SignatureError:
        return True
    return False


@given(st.binary(max_size=200))
def test_what_was_signed_passes(body: bytes) -> None:
    check(SECRET, sign(SECRET, body, NOW), body, NOW)


def test_a_known_value() -> None:
    """Computed with `printf '1795348800.{}' | openssl dgst -sha256 -hmac whsec_5f2d`."""
    assert (
        sign(SECRET, b"{}", NOW) == "t=1795348800,v1=216fff8dc0218ee582b9641e43226d9901b65086aa9d8460d708b14cbdec0b7b"
    )


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_another_body_is_refused(body: bytes, other: bytes) -> None:
    assert refused(sign(SECRET, body, NOW), other) is (body != other)


@given(st.text(max_size=80))
def test_no_text_is_taken_for_a_signature(header: str) -> None:
    assert refused(header, b"{}")


@given(st.text(max_size=40))
def test_another_secret_or_moment_is_refused(text: str) -> None:
    assert refused(sign(f"x{text}", b"{}", NOW), b"{}") or text == SECRET[1:]
    assert refused(sign(SECRET, b"{}", NOW) + "0", b"{}")
    moved = sign(SECRET, b"{}", NOW).replace("t=17953488", "t=17953489")
    assert refused(moved, b"{}")


@pytest.mark.parametrize("way", [1, -1])
def test_late_and_early_ones_are_refused(way: int) -> None:
    header = sign(SECRET, b"{}", NOW)
    assert not refused(header, b"{}", NOW + way * TOLERANCE)
    assert refused(header, b"{}", NOW + way * (TOLERANCE + SECOND))
    with pytest.raises(SignatureError):
        signed_at(header, NOW + way * (TOLERANCE + SECOND))


def test_two_secrets_while_one_replaces_the_other() -> None:
    header = sign(SECRET, b"{}", NOW)
    other = sign("whsec_old", b"{}", NOW).partition(",")[2]
    assert not refused(f"{header.partition(',')[0]},{other},{header.partition(',')[2]}", b"{}")
    assert refused(f"{header},t=1", b"{}"), "two moments"
    assert refused(f"{header},{'v1=0,' * HEADER_MAX}", b"{}")
