"""The build's output as Python sees it: hashed file names and inline icons.

Read once, at first use, so that importing the kit costs nothing and works before a build.
"""

import json
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

from vivero_ui.errors import AssetMissingError

DIST: Final = Path(__file__).parent / "static" / "dist"
STATIC_PATH: Final = "/static"
_BUILD_HINT: Final = "run `npm ci && npm run build` in ui/"


@cache
def _load(name: str) -> dict[str, str]:
    try:
        content: dict[str, str] = json.loads((DIST / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AssetMissingError(f"{DIST / name} is not built: {_BUILD_HINT}") from error
    return content


def asset(name: str) -> str:
    """The address of a built file by its logical name, e.g. `app.css`."""
    return f"{STATIC_PATH}/{_hashed(name)}"


@cache
def content(name: str) -> str:
    """What a built text file holds, by its logical name."""
    return (DIST / _hashed(name)).read_text(encoding="utf-8")


def _hashed(name: str) -> str:
    try:
        return _load("manifest.json")[name]
    except KeyError as error:
        raise AssetMissingError(f"no built file is named {name!r}: {_BUILD_HINT}") from error


def icon(name: str, size: int = 16, classes: str = "", label: str = "") -> Markup:
    """A Lucide icon as inline SVG; `size` in pixels. Without `label` it is decoration, hidden from screen readers."""
    try:
        body = _load("icons.json")[name]
    except KeyError as error:
        raise AssetMissingError(f"icon {name!r} is not in ui/src/icons.txt; add it, then {_BUILD_HINT}") from error
    said = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(  # noqa: S704  the body is the build's own SVG, the rest is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{int(size)}" height="{int(size)}" viewBox="0 0 24 24" '
        f'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" '
        f'class="shrink-0 {escape(classes)}" {said}>{body}</svg>'
    )
