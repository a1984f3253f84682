"""Names of collections, fields and choices: validation, and when two are equal; pure.

A name is only displayed and compared: tables and columns are named by numbers
(`columns.py`), statements are parametrized, pages escape. So names may be in any
script, with the punctuation that spreadsheet headers have.
"""

import unicodedata
from typing import Final

from vivero_web.text import tidy, unseen

MAX_NAME: Final = 64


def fold(name: str) -> str:
    """The comparison key of a name, independent of case, Unicode composition and spacing."""
    spaced = " ".join(tidy(name).split())
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", spaced).casefold())


def text_problem(text: str, longest: int) -> str | None:
    """What is wrong with a text of at most `longest` characters; line breaks and tabs are allowed."""
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
        return "must not begin with - or a combining mark"  # a leading `-` means descending in `sort`
    return text_problem(name, MAX_NAME)


def path_problem(name: str) -> str | None:
    """What is wrong with a name as a URL path segment."""
    if "/" in name or "\\" in name or not name.strip("."):
        return "must not have / or \\, or only dots"
    return None
