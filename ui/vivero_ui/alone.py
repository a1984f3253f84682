"""What a page needs that loads no file: its style, script and pictures stand in it. For hosts that serve none."""

import base64
import hashlib
from functools import cache
from typing import Final

from markupsafe import Markup

from vivero_ui.assets import content

STYLESHEET: Final = "alone.css"
SCRIPT: Final = "stand-in.js"


def alone_style() -> Markup:
    """The style element."""
    return Markup(f"<style>{_text(STYLESHEET)}</style>")  # noqa: S704  the build's own stylesheet


def waiting_page_script(seconds: int) -> Markup:
    """The script element that asks every so many seconds whether the page is there for which this one stands in."""
    return Markup(f'<script data-seconds="{int(seconds)}">{_text(SCRIPT)}</script>')  # noqa: S704  the build's own


def data_uri(name: str) -> str:
    """A built picture (SVG) as an address that holds it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(content(name).encode()).decode()}"


@cache
def policy(*, looks_again: bool = False) -> str:
    """The Content-Security-Policy of such a page: this very style, no form, frame or address at all.

    With `looks_again`, this very script as well, which asks its own host and no other.
    """
    script = {"script-src": _digest(SCRIPT), "connect-src": "'self'"} if looks_again else {}
    rules = {
        "default-src": "'none'",
        "style-src": _digest(STYLESHEET),
        **script,
        "img-src": "data:",
        "form-action": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _digest(name: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(_text(name).encode()).digest()).decode()}'"


def _text(name: str) -> str:
    return content(name).strip()
