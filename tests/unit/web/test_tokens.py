"""Secrets that nobody chooses, and the cookies they travel in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_web.security import host_cookie
from vivero_web.tokens import digest, new_secret, new_session, seconds_left

ANYTHING = st.characters(codec=None, exclude_categories=[])  # halves of surrogate pairs, too


def test_no_secret_comes_twice_and_all_are_safe_in_an_address() -> None:
    made = {new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(secret) >= 43 and secret.replace("-", "").replace("_", "").isalnum() for secret in made)


@given(st.text(ANYTHING), st.text(ANYTHING))
def test_a_digest_tells_two_secrets_apart_and_has_a_columns_width(one: str, other: str) -> None:
    assert len(digest(one)) == 32
    assert (digest(one) == digest(other)) == (one == other)


@given(st.integers(0, 2**40), st.integers(0, 200_000))
def test_a_session_goes_on_while_it_is_used_and_not_for_ever(begun: int, later: int) -> None:
    session, now = (
        new_session(datetime.fromtimestamp(begun / 1000, UTC)),
        datetime.fromtimestamp(begun // 1000 + later, UTC),
    )
    left = seconds_left(session, now, unused=7200, longest=86_400)
    assert left == max(0, min(7200, 86_400 - later))


@given(st.text(ANYTHING))
def test_what_never_began_is_over(text: str) -> None:
    assert seconds_left(f"x{text}", datetime(2026, 11, 30, tzinfo=UTC), unused=7200, longest=86_400) == 0


@pytest.mark.parametrize(("strict", "site"), [(True, "samesite=strict"), (False, "samesite=lax")])
@pytest.mark.parametrize("seconds", [0, 900])
def test_a_cookie_is_for_this_host_alone(seconds: int, site: str, *, strict: bool) -> None:
    header = host_cookie("__Host-session", "sesame", seconds, strict=strict).to_header(header="").lower()
    parts = {part.strip() for part in header.split(";")}
    assert {"__host-session=sesame", f"max-age={seconds}", "path=/", "secure", "httponly", site} <= parts
    assert not [part for part in parts if part.startswith("domain")]
