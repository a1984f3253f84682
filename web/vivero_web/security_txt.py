"""/.well-known/security.txt (RFC 9116): the contact for vulnerability reports, where one is configured."""

from datetime import datetime, timedelta
from typing import Final

from litestar import MediaType, get
from litestar.handlers import HTTPRouteHandler

from vivero_web.clock import Clock

PATH: Final = "/.well-known/security.txt"
VALID_FOR: Final = timedelta(days=180)
"""The standard wants less than a year; who reads it later asks again."""


def security_txt(contact: str, now: datetime) -> str:
    """The file; `contact` is a URI as `SECURITY_CONTACT_PATTERN` has it."""
    return f"Contact: {contact}\nExpires: {now + VALID_FOR:%Y-%m-%dT%H:%M:%SZ}\nPreferred-Languages: en\n"


def security_txt_routes(contact: str | None, clock: Clock) -> list[HTTPRouteHandler]:
    """None without a contact: then there is no such file."""
    if contact is None:
        return []

    @get(PATH, media_type=MediaType.TEXT, include_in_schema=False, sync_to_thread=False)
    def show() -> str:
        return security_txt(contact, clock())

    return [show]
