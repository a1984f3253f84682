"""Secrets that nobody chooses, and the cookies they travel in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_web.security import host_cookie
from vivero_web.tokens import digest, new_secret

ANYTHING = st.characters(codec=None, exclude_categories=[])  # halves of surrogate pairs, too


def test_no_secret_comes_twice_and_all_are_safe_in_an_address() -> None:
    made = {new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(secret) >= 43 and secret.replace("-", "").replace("_", "").isalnum() for secret in made)


@given(st.text(ANYTHING), st.text(ANYTHING))
def test_a_digest_tells_two_secrets_apart_and_has_a_columns_width(one: str, other: str) -> None:
    assert len(digest(one)) == 32
    assert (digest(one) == digest(other)) == (one == other)


@pytest.mark.parametrize(("strict", "site"), [(True, "samesite=strict"), (False, "samesite=lax")])
@pytest.mark.parametrize("seconds", [0, 900])
def test_a_cookie_is_for_this_host_alone(seconds: int, site: str, *, strict: bool) -> None:
    header = host_cookie("__Host-session", "sesame", seconds, strict=strict).to_header(header="").lower()
    parts = {part.strip() for part in header.split(";")}
    assert {"__host-session=sesame", f"max-age={seconds}", "path=/", "secure", "httponly", site} <= parts
    assert not [part for part in parts if part.startswith("domain")]
