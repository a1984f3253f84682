"""Where a prospect came from: what the address of the first page said, bounded and cleaned. Decisions, no I/O.

It comes from anybody's browser, so it is shown to staff and believed by nothing. Of a referrer only the host is kept: the
rest of an address may name a person.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta, Struct

LONGEST: Final = 100
"""Characters of each value."""
_HOST: Final = re.compile(rf"(?=.{{1,{LONGEST}}}\Z)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+")

Value = Annotated[str, Meta(max_length=LONGEST, description="As the address of the first page said it.")]
Host = Annotated[str, Meta(max_length=LONGEST, description="Host of the page that led here.")]


class Lead(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The usual names of campaigns (UTM), and the host of the page that led here; empty: it was not said."""

    utm_source: Value = ""
    utm_medium: Value = ""
    utm_campaign: Value = ""
    utm_term: Value = ""
    utm_content: Value = ""
    referrer: Host = ""

    @property
    def said(self) -> dict[str, str]:
        """What is not empty, by name."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name))}


def cleaned(values: Mapping[str, str], *, own_host: str, referrer: str = "") -> Lead:
    """A lead from the parameters of an address or a form; `referrer` is the browser's own word, used where there is none."""
    texts = {name: _text(values.get(name, "")) for name in Lead.__struct_fields__ if name != "referrer"}
    host = _host(values.get("referrer", "")) or _host(referrer)
    return Lead(**texts, referrer="" if _is_below(host, own_host) else host)


def _text(value: str) -> str:
    """Printable, in one line, cut."""
    composed = unicodedata.normalize("NFC", value[: LONGEST * 4])
    printable = "".join(char if unicodedata.category(char)[0] not in "CZ" else " " for char in composed)
    return " ".join(printable.split())[:LONGEST].strip()


def _host(value: str) -> str:
    """The host of an address, or of what is one without its scheme; empty for anything else."""
    try:
        found = urlsplit(value if "://" in value else f"//{value}").hostname or ""
    except ValueError:
        return ""
    return found if _HOST.fullmatch(found) else ""


def _is_below(host: str, own_host: str) -> bool:
    return host == own_host or host.endswith(f".{own_host}")
