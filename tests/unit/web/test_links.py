from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st
from vivero_web.links import one_time_link
from vivero_web.tokens import new_secret

SLUGS = st.from_regex(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", fullmatch=True)


@given(SLUGS)
def test_the_secret_of_a_link_is_in_no_part_that_is_sent(slug: str) -> None:
    secret = new_secret()
    page = f"https://{slug}.vivero.example:8443/reset"
    parts = urlsplit(one_time_link(page, secret))
    assert parts.fragment == secret
    assert parts._replace(fragment="").geturl() == page
