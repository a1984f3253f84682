"""Codes as RFC 6238 has them, and QR codes as another implementation draws them."""

import hashlib

import pytest
from vivero_web import qr, totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(moment: int, code: str) -> None:
    assert totp.code_at(SECRET, moment // totp.SECONDS) == code
    assert totp.step_of(SECRET, code, moment) == moment // totp.SECONDS


def test_a_phone_may_be_half_a_minute_wrong_and_no_more() -> None:
    code, moment = totp.code_at(SECRET, 1000), 1000 * totp.SECONDS
    late = {seconds: totp.step_of(SECRET, code, moment + seconds) for seconds in (-31, -30, 0, 59, 60)}
    assert late == {-31: None, -30: 1000, 0: 1000, 59: 1000, 60: None}


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "٢٨٧٠٨٢", "287 82", "\x00" * 6])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.step_of(SECRET, code, 59) is None


def test_an_address_says_whose_secret_it_is() -> None:
    said = totp.uri(SECRET, "acme.example.com", "ada+x@example.com")
    assert said == (
        "otpauth://totp/acme.example.com:ada%2Bx%40example.com"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=acme.example.com"
    )
    assert totp.shown(SECRET).startswith("GEZD GNBV ")


@pytest.mark.parametrize(
    ("length", "digest"),
    [
        (17, "452235ff56795e13767ec95ca4e4217f8e574f3947efb55e692d79d274442116"),
        (154, "7e96f160d7030cc7d879bc61bdcc010a6be94408114b4771f7d0a93f6f27a154"),
        (458, "abed1a35c47eb9f6072c6a28676a8a82745e9218e502b2a6a0b62684a320125f"),
        (858, "6b1eda8c17e084b687ac3e1ba80bb09d39c60b4caaf232fa3dbd47eac3292098"),
    ],
)
def test_a_qr_code_is_module_by_module_what_segno_draws(length: int, digest: str) -> None:
    text = ("otpauth://totp/" * 60)[:length]
    drawn = bytes(module for row in qr.modules(text.encode()) for module in row)
    assert hashlib.sha256(drawn).hexdigest() == digest


def test_a_picture_has_white_around_it_and_an_end_to_its_length() -> None:
    side, path = qr.svg_path("a")
    assert (side, path[:7]) == (29, "M4 4h1v")
    with pytest.raises(ValueError, match="too long"):
        qr.svg_path("x" * 859)
