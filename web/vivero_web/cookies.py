"""Cookies that no script reads and no other host sets."""

from litestar.datastructures import Cookie


def host_cookie(name: str, value: str, seconds: int, *, strict: bool = False) -> Cookie:
    """A cookie for this very host, over TLS only; 0 seconds end it. `name` begins with `__Host-`.

    A strict one is not sent by links from other sites either.
    """
    return Cookie(
        key=name,
        value=value,
        max_age=seconds,
        path="/",  # the __Host- prefix demands it
        secure=True,
        httponly=True,
        samesite="strict" if strict else "lax",
    )
