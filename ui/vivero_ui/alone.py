"""What a page needs that loads nothing: its style and pictures stand in it. For hosts that serve no files."""

import base64
import hashlib
from functools import cache
from typing import Final

from markupsafe import Markup

from vivero_ui.assets import content

STYLESHEET: Final = "alone.css"


def alone_style() -> Markup:
    """The style element."""
    return Markup(f"<style>{_style()}</style>")  # noqa: S704  the build's own stylesheet


def data_uri(name: str) -> str:
    """A built picture (SVG) as an address that holds it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(content(name).encode()).decode()}"


@cache
def policy() -> str:
    """The Content-Security-Policy of such a page: this very style and no script, form, frame or address at all."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    rules = {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "img-src": "data:",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


@cache
def _style() -> str:
    return content(STYLESHEET).strip()
