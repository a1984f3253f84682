"""Names of collections, fields and choices: what may be one, and when two are the same; pure.

A name is only shown and compared: tables and columns are named by numbers
(`columns.py`), statements have parameters, pages escape. So a name may be
what people write anywhere in the world, signs of a spreadsheet's head too.
"""

import unicodedata
from typing import Final

from vivero_web.text import tidy, unseen

MAX_NAME: Final = 64


def fold(name: str) -> str:
    """What names have in common that are one to a reader: their letters, in whichever case, composition and spacing."""
    spaced = " ".join(tidy(name).split())
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", spaced).casefold())


def text_problem(text: str, longest: int) -> str | None:
    """What is wrong with a text of at most `longest` characters; line ends and tabs may be in it."""
    if len(text) > longest:
        return f"must have at most {longest} characters"
    if any(text[place] not in "\n\t" for place in unseen(text)):
        return "must not have control, direction or unassigned characters"
    return None


def name_problem(name: str) -> str | None:
    """What is wrong with a collection's or field's name, which is tidied."""
    if not name:
        return "must not be empty"
    if name[0] == "-" or unicodedata.category(name[0]).startswith("M"):
        return "must not begin with - or a combining mark"  # `-` before a field's name sorts downwards
    return text_problem(name, MAX_NAME)


def path_problem(name: str) -> str | None:
    """What is wrong with a name that is part of an address, besides."""
    if "/" in name or "\\" in name or not name.strip("."):
        return "must not have / or \\, or only dots"
    return None
