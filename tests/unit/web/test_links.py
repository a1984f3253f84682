from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_web.links import one_time_link, secret_in
from vivero_web.tokens import new_secret

SLUGS = st.from_regex(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", fullmatch=True)
PAGES = SLUGS.map("https://{}.vivero.example:8443/reset".format) | st.sampled_from(
    ["https://data.example.com/set-password", "http://[::1]:8080/set-password"]
)
SPACE = st.text(" \t\r\n", max_size=3)


@given(PAGES)
def test_the_secret_of_a_link_is_in_no_part_that_is_sent(page: str) -> None:
    secret = new_secret()
    parts = urlsplit(one_time_link(page, secret))
    assert parts.fragment == secret
    assert parts._replace(fragment="").geturl() == page


@given(PAGES, SPACE, SPACE)
def test_the_secret_is_found_in_whatever_of_the_link_is_pasted(page: str, before: str, after: str) -> None:
    secret = new_secret()
    for pasted in (secret, f"#{secret}", one_time_link(page, secret)):
        assert secret_in(f"{before}{pasted}{after}") == secret


@pytest.mark.parametrize("typed", ["", " ", "#", "https://acme.vivero.localhost/set-password#"])
def test_nothing_is_no_secret(typed: str) -> None:
    assert secret_in(typed) == ""
