"""Names of collections, fields and choices: what may be one, and when two are the same; pure.

A name is only shown and compared: tables and columns are named by numbers
(`columns.py`), statements have parameters, pages escape. So a name may be
what people write anywhere in the world, signs of a spreadsheet's head too.
"""

import unicodedata
from typing import Final

MAX_NAME: Final = 64
_FORBIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # nothing that one sees
_JOINERS: Final = frozenset("\u200c\u200d")  # part of Persian and Sinhala words, and of joined emoji
_JOINED: Final = frozenset("LMS")  # letters, their marks, symbols: what joiners stand between


def tidy(text: str) -> str:
    """A name as it is stored: composed characters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def fold(name: str) -> str:
    """What names have in common that are one to a reader: their letters, in whichever case and composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", tidy(name)).casefold())


def text_problem(text: str, longest: int) -> str | None:
    """What is wrong with a text of at most `longest` characters; line ends and tabs may be in it."""
    if len(text) > longest:
        return f"must have at most {longest} characters"
    if any(_hidden(text, place) for place in range(len(text)) if text[place] not in "\n\t"):
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


def _hidden(text: str, place: int) -> bool:
    """Whether nothing shows a character, and no word needs it where it stands."""
    if unicodedata.category(text[place]) not in _FORBIDDEN:
        return False
    around = text[place - 1 : place] + text[place + 1 : place + 2]
    joins = len(around) == 2 and all(unicodedata.category(char)[0] in _JOINED for char in around)  # noqa: PLR2004  both sides
    return not (joins and text[place] in _JOINERS)
