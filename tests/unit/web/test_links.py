from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_web.links import address, secret_in
from vivero_web.tokens import new_secret

PLACES = st.sampled_from(["https://acme.vivero.localhost:8443", "https://data.example.com", "http://[::1]:8080"])
SPACE = st.text(" \t\r\n", max_size=3)


@given(PLACES)
def test_the_secret_is_in_the_fragment_alone(origin: str) -> None:
    secret = new_secret()
    parts = urlsplit(address(origin, secret))
    assert parts.fragment == secret
    assert secret not in parts.path + parts.query + parts.netloc
    assert f"{parts.scheme}://{parts.netloc}" == origin


@given(PLACES, SPACE, SPACE)
def test_the_secret_is_found_in_whatever_of_the_link_is_pasted(origin: str, before: str, after: str) -> None:
    secret = new_secret()
    for pasted in (secret, f"#{secret}", address(origin, secret)):
        assert secret_in(f"{before}{pasted}{after}") == secret


@pytest.mark.parametrize("typed", ["", " ", "#", "https://acme.vivero.localhost/set-password#"])
def test_nothing_is_no_secret(typed: str) -> None:
    assert secret_in(typed) == ""
