"""The customer's manual: the chapters of docs/manual, which an image has beside its templates.

Read from their files when somebody opens a page; few do, and an idle workspace holds none of it.
"""

import re
from pathlib import Path
from typing import Final

from markupsafe import Markup
from msgspec import Struct

from vivero_data.web import markdown

_SHIPPED: Final = Path(__file__).parent / "manual"
FOLDER: Final = _SHIPPED if _SHIPPED.is_dir() else Path(__file__).parents[3] / "docs" / "manual"
HELP: Final = "/help"
_CONTENTS: Final = "README"
_LISTED: Final = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<name>[a-z-]+)\.md\)$", re.MULTILINE)
_INSIDE: Final = re.compile(r"(?P<name>[a-z-]+|README)\.md(?P<anchor>#.*)?")


class Chapter(Struct, frozen=True):
    """One chapter, as the contents have it."""

    name: str
    title: str


def chapters() -> list[Chapter]:
    """All of them, in the order of the contents."""
    return [Chapter(found["name"], found["title"]) for found in _LISTED.finditer(_text(_CONTENTS))]


def matching(search: str) -> list[Chapter]:
    """The chapters that have every word of a search."""
    words = search.lower().split()
    return [one for one in chapters() if all(word in _text(one.name).lower() for word in words)]


def shown(chapter: Chapter) -> Markup:
    """What a chapter says below its heading; links to other chapters lead to their pages."""
    _, _, below = _text(chapter.name).partition("\n")
    return markdown.html(below, _target)


def _text(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def _target(link: str) -> str:
    found = _INSIDE.fullmatch(link)
    if not found:
        return link
    page = HELP if found["name"] == _CONTENTS else f"{HELP}/{found['name']}"
    return f"{page}{found['anchor'] or ''}"
