"""What people may call themselves and their things, in every script: one rule for each kind of text, pure.

A problem is a sentence for the person who typed it; None means that there is none.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from vivero_core.model.naming import (
    DISPLAY_NAME_MAX_LENGTH,
    EMAIL_MAX_LENGTH,
    EMAIL_PATTERN,
    JOINERS,
    is_display_name,
)

from vivero_web.common_passwords import is_common

PERSON_MAX: Final = 120
_NUMBER: Final = re.compile(r"[0-9]{1,18}")  # fits every integer of a database or of JSON
PASSWORD_MIN: Final = 10
PASSWORD_MAX: Final = 128
"""Characters; at most four bytes each, and argon2 hashes any length."""

_MARKS_MAX: Final = 3  # accents stacked on one letter; Vietnamese needs two, "zalgo" text dozens
_HIDDEN: Final = "Leave out control characters and invisible formatting characters."
# Control, formatting (bidirectional overrides, zero-width), private, separators of lines:
# what makes a name look like another, or breaks the line it stands in.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_UNTYPED: Final = frozenset({"Cc", "Cs"})
_FILLERS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters to Unicode, and nothing to the eye
# Formatting characters that do show: signs of Arabic, Syriac and Kaithi which enclose the number after them.
_ENCLOSING: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_NON_JOINER, _JOINER = JOINERS
_EMOJI_STYLE: Final = "\ufe0f"
_PICTURES: Final = frozenset({"So", "Sm", "Cn"})  # the newest are younger than our Python's tables
_VIRAMA: Final = 9  # its canonical combining class, in every Indic script
_KHMER_SHIFTERS: Final = ("\u17c9", "\u17ca")
_VOWEL_SEPARATOR: Final = "\u180e"  # Mongolian
_REGION_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")  # Scotland's


def tidy(text: str) -> str:
    """One spelling (NFC) in one line, no space around it, single spaces in it.

    Heads of spreadsheets have line ends; other spaces than the plain one stay, such as the wide one in Japanese names.
    """
    return re.sub(r"[ \t-\r]+", " ", unicodedata.normalize("NFC", text)).strip()


def whole_number(text: str) -> int | None:
    """A number that a form or an address carries, below 10^18; None when it is none."""
    return int(text) if _NUMBER.fullmatch(text) else None


def unseen(text: str) -> Iterator[int]:
    """Where characters stand that nobody sees and that the writing does not need."""
    for place, char in enumerate(text):
        if _is_unseen(char) and not _is_needed(text, place):
            yield place


def name_problem(name: str, longest: int) -> str | None:
    """Why a tidied name of a person or thing cannot be used; letters of any script, quotes and emoji can."""
    if len(name) > longest:
        return f"Use at most {longest} characters."
    if any(True for _ in unseen(name)):
        return _HIDDEN
    if _stacked_marks(name) > _MARKS_MAX:
        return "Leave out the stacked accents."
    return None


def company_problem(name: str) -> str | None:
    """As `name_problem`; a company has a name, and one that can be read aloud."""
    if not name:
        return "Enter the name of your company."
    if problem := name_problem(name, DISPLAY_NAME_MAX_LENGTH):
        return problem
    if not is_display_name(name):  # it knows of joiners alone
        return _HIDDEN
    return None if any(char.isalnum() for char in name) else "Use at least one letter or digit."


def email_problem(email: str) -> str | None:
    """The rule of the Tenant's definition: what the platform takes, every workspace takes."""
    if not email:
        return "Enter your e-mail address."
    well_formed = len(email) <= EMAIL_MAX_LENGTH and re.fullmatch(EMAIL_PATTERN.strip("^$"), email)
    return None if well_formed else "Enter an e-mail address such as name@example.com."


def password_problem(password: str, *, email: str = "", company: str = "") -> str | None:
    """Why a new password cannot be used; `email` and `company` are what others know of its owner."""
    composed = unicodedata.normalize("NFC", password)
    if len(composed) < PASSWORD_MIN:
        return f"Use at least {PASSWORD_MIN} characters."
    if len(composed) > PASSWORD_MAX:
        return f"Use at most {PASSWORD_MAX} characters."
    if any(unicodedata.category(char) in _UNTYPED or _is_void(char) for char in composed):
        return "Leave out control characters."
    if is_common(composed, known=(email, email.partition("@")[0], company)):
        return "This password is too easy to guess; a few unrelated words are better."
    return None


def _is_unseen(char: str) -> bool:
    if char in _FILLERS or _is_void(char):
        return True
    return unicodedata.category(char) in _UNSEEN and char not in _ENCLOSING


def _is_void(char: str) -> bool:
    """Whether Unicode promises that this will never be a sign, which is less than not being one yet."""
    code = ord(char)
    never = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004  noncharacters
    ignored = code == 0x2065 or 0xFFF0 <= code <= 0xFFF8 or 0xE0000 <= code <= 0xE0FFF  # noqa: PLR2004  default ignorable
    return never or (ignored and unicodedata.category(char) == "Cn")


def _is_needed(text: str, place: int) -> bool:
    """Whether a script or emoji is not written without this unseen character where it stands."""
    char, before, after = text[place], text[:place], text[place + 1 : place + 2]
    if char in JOINERS:
        return bool(before) and _joins(char, before, after)
    if char == _VOWEL_SEPARATOR:
        return _is_mongolian(before[-1:]) and _is_mongolian(after)
    return any(flag.start() < place < flag.end() for flag in _REGION_FLAG.finditer(text))


def _joins(char: str, text: str, after: str) -> bool:
    """Whether a joiner belongs between a text and the character after it.

    Beside an Indic vowel killer, before a Khmer shifter, after an Arabic letter, or (the joiner alone) between two pictures.
    """
    before, after = text.rstrip(_EMOJI_STYLE)[-1:] or " ", after or " "
    if _VIRAMA in {unicodedata.combining(before), unicodedata.combining(after)} or after in _KHMER_SHIFTERS:
        return True
    if _last_letter_is_arabic(text):
        return char == _JOINER or _is_arabic(after)
    pictures = unicodedata.category(before) in _PICTURES | {"Sk"} and unicodedata.category(after) in _PICTURES
    return char == _JOINER and pictures


def _is_mongolian(char: str) -> bool:
    return "\u1820" <= char <= "\u18aa"


def _last_letter_is_arabic(text: str) -> bool:
    bare = text.rstrip("".join({char for char in text if unicodedata.category(char) == "Mn"}))
    return _is_arabic(bare[-1:])


def _is_arabic(char: str) -> bool:
    return bool(char) and unicodedata.bidirectional(char) == "AL"


def _stacked_marks(text: str) -> int:
    longest = run = 0
    for char in unicodedata.normalize("NFD", text):
        run = run + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        longest = max(longest, run)
    return longest
