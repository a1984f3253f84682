"""The words for what somebody logged in with, by the User-Agent that it sent. Pure."""

import re
from typing import Final

# In this order: most of them also claim to be those that come later.
_PROGRAMS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
_PRODUCT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
UNKNOWN: Final = "Unknown device"


def device_of(agent: str) -> str:
    """`Firefox on Linux`; of a program that is no browser its own name."""
    program = next((words for mark, words in _PROGRAMS if mark in agent), "")
    system = next((words for mark, words in _SYSTEMS if mark in agent), "")
    if program:
        return f"{program} on {system}" if system else program
    product = _PRODUCT.match(agent)
    return product[0] if product else UNKNOWN
