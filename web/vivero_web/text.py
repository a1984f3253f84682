"""What people may call themselves and their things, in every script: one rule for each kind of text, pure.

A problem is a sentence for the person who typed it; None means that there is none.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from vivero_core.model.naming import DISPLAY_NAME_MAX_LENGTH, EMAIL_MAX_LENGTH, EMAIL_PATTERN, JOINERS

from vivero_web.common_passwords import is_common

PERSON_MAX: Final = 120
_NUMBER: Final = re.compile(r"[0-9]{1,18}")  # fits every integer of a database or of JSON
PASSWORD_MIN: Final = 10
PASSWORD_MAX: Final = 128
"""Characters; at most four bytes each, and argon2 hashes any length."""

_MARKS_MAX: Final = 3  # accents stacked on one letter; Vietnamese needs two, "zalgo" text dozens
# Control, formatting (bidirectional overrides, zero-width), private, unassigned, separators of lines:
# what makes a name look like another, or breaks the line it stands in.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNTYPED: Final = frozenset({"Cc", "Cs", "Cn"})
_NON_JOINER, _JOINER = JOINERS
_EMOJI_STYLE: Final = "\ufe0f"
_VIRAMA: Final = 9  # its canonical combining class, in every Indic script


def tidy(text: str) -> str:
    """One spelling (NFC), no space around it, single spaces in it."""
    return re.sub(r" +", " ", unicodedata.normalize("NFC", text)).strip()


def whole_number(text: str) -> int | None:
    """A number that a form or an address carries, below 10^18; None when it is none."""
    return int(text) if _NUMBER.fullmatch(text) else None


def unseen(text: str) -> Iterator[int]:
    """Where characters stand that nobody sees and that the writing does not need."""
    for place, char in enumerate(text):
        if unicodedata.category(char) in _UNSEEN and not _joins(text, place):
            yield place


def name_problem(name: str, longest: int) -> str | None:
    """Why a tidied name of a person or thing cannot be used; letters of any script, quotes and emoji can."""
    if len(name) > longest:
        return f"Use at most {longest} characters."
    if any(True for _ in unseen(name)):
        return "Leave out control characters and invisible formatting characters."
    if _stacked_marks(name) > _MARKS_MAX:
        return "Leave out the stacked accents."
    return None


def company_problem(name: str) -> str | None:
    """As `name_problem`; a company has a name, and one that can be read aloud."""
    if not name:
        return "Enter the name of your company."
    if problem := name_problem(name, DISPLAY_NAME_MAX_LENGTH):
        return problem
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
    if any(unicodedata.category(char) in _UNTYPED for char in composed):
        return "Leave out control characters."
    if is_common(composed, known=(email, email.partition("@")[0], company)):
        return "This password is too easy to guess; a few unrelated words are better."
    return None


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands where a script or emoji needs it.

    Beside an Indic vowel killer, after an Arabic letter, or (the joiner alone) between two pictures.
    """
    char, before, after = text[place], text[:place].rstrip(_EMOJI_STYLE)[-1:], text[place + 1 : place + 2]
    if char not in JOINERS or not before:
        return False
    if _VIRAMA in {unicodedata.combining(before), unicodedata.combining(after or " ")}:
        return True
    if _last_letter_is_arabic(text[:place]):
        return char == _JOINER or _is_arabic(after)
    pictures = unicodedata.category(before) in {"So", "Sk"} and unicodedata.category(after or " ") == "So"
    return char == _JOINER and pictures


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
