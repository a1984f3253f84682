"""One-time links: their secret stands behind the #, which browsers send to nobody and no log on the way holds.

The page at the link's address takes it out of the address bar and posts it: macro `link_secret` of the kit's forms,
`ui/src/js/secret.js`. Whoever has no script pastes it there.
"""


def one_time_link(page: str, secret: str) -> str:
    """The link to `page`; a `new_secret` and a signed token have only characters that a fragment takes."""
    return f"{page}#{secret}"
