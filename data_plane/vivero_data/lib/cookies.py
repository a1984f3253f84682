"""The browser's session: the API's tokens in cookies."""

from typing import Final

from litestar.datastructures import Cookie
from vivero_web.security import host_cookie

from vivero_data.lib.tokens import REFRESH_LIFETIME, Tokens

ACCESS: Final = "__Host-session"
REFRESH: Final = "__Host-refresh"


def session_cookies(tokens: Tokens) -> list[Cookie]:
    """Cookies after a login, a ticket or a rotation; without a new refresh token only the access cookie is set."""
    cookies = [host_cookie(ACCESS, tokens.access_token, tokens.expires_in)]
    if tokens.refresh_token:
        cookies.append(host_cookie(REFRESH, tokens.refresh_token, int(REFRESH_LIFETIME.total_seconds()), strict=True))
    return cookies


def expired_cookies() -> list[Cookie]:
    """Deletes the cookies, after a logout or when the browser's are not valid."""
    return [host_cookie(ACCESS, "", 0), host_cookie(REFRESH, "", 0, strict=True)]
