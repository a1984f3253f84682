"""The browser's session: the API's tokens in cookies that no script reads and no other host sets."""

from typing import Final

from litestar.datastructures import Cookie

from vivero_data.lib.tokens import REFRESH_LIFETIME, Tokens

ACCESS: Final = "__Host-session"
REFRESH: Final = "__Host-refresh"


def session_cookies(tokens: Tokens) -> list[Cookie]:
    """After a login, a ticket or a rotation; without a new refresh token only the access cookie is set."""
    cookies = [_cookie(ACCESS, tokens.access_token, tokens.expires_in, strict=False)]
    if tokens.refresh_token:
        cookies.append(_cookie(REFRESH, tokens.refresh_token, int(REFRESH_LIFETIME.total_seconds()), strict=True))
    return cookies


def expired_cookies() -> list[Cookie]:
    """After a logout, or when what the browser sent is worthless."""
    return [_cookie(ACCESS, "", 0, strict=False), _cookie(REFRESH, "", 0, strict=True)]


def _cookie(name: str, value: str, max_age: int, *, strict: bool) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=max_age,
        path="/",  # the __Host- prefix demands it
        secure=True,
        httponly=True,
        samesite="strict" if strict else "lax",
    )
