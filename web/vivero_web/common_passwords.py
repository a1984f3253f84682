"""Passwords that everybody tries first, recognised by how they are made.

Not a file of a million leaked ones: those are words of a short list below,
decorated with digits, signs and look-alikes, or repeated, or runs of the
keyboard. Undoing the decoration needs no list to download and keep current.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

_LOOKALIKES: Final = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "!": "i"}
)
_KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn")
_RUNS: Final = (*_KEYBOARD, "abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")
_RUN_LENGTH: Final = 4  # a run this long carries no more information than its first character
_FEW: Final = 5  # a password of fewer different characters is a pattern
_NUMBER_MAX: Final = 15  # a telephone number has no more digits (E.164), a date fewer

_WORDS: Final = frozenset(
    """
    access account admin administrator angel apple arsenal baseball basketball batman bitte buster changeme charlie
    chelsea chocolate company computer cookie daniel default demo diamond dragon enter
    facebook flower football freedom fuckyou geheim ginger google guest hallo hello hockey iloveyou internet jennifer
    jessica jordan killer kennwort lakers letmein linkedin liverpool login london love loveyou lovely maggie manager
    master matrix mercedes michael monkey monster mustang mysql naruto ninja nothing office onetwothree orange oracle passw
    passwort password passwd passphrase pepper pokemon princess private purple qazwsx ranger root samsung schatz secret
    secure security server service shadow sommer spring starwars summer sunshine superman superuser support system temp
    test tester testing thomas tigger trial trustno user vivero welcome whatever willkommen winter workspace yankees
    zaq
    """.split()  # noqa: SIM905  a list of quoted words is four times as long
)
_LONGEST_FIRST: Final = sorted(_WORDS, key=len, reverse=True)


def is_common(password: str, known: Iterable[str] = ()) -> bool:
    """Whether it is no more than one well-known word and what we know of the person (`known`), decorated.

    Decoration: digits, signs, look-alikes, runs of a keyboard, repetition. Also an alphabet's run, and few characters.
    """
    lowered = password.lower()
    if len(set(lowered)) < _FEW or len({ord(after) - ord(before) for before, after in pairwise(lowered)}) == 1:
        return True
    personal = {part for text in known for part in _parts(text.lower()) if len(part) >= _RUN_LENGTH}
    forms = {lowered, _joined(lowered)}
    return any(_is_plain(one, personal) for one in forms | {form.translate(_LOOKALIKES) for form in forms})


def _parts(text: str) -> list[str]:
    """The text, as one word, and each word of it, in letters of any script."""
    return [text, _joined(text), *re.findall(r"[^\W\d_]+", text)]


def _joined(text: str) -> str:
    """Without what people put between words."""
    return re.sub(r"[\W_]+", "", text)


def _is_plain(text: str, personal: Iterable[str]) -> bool:
    for word in sorted(personal, key=len, reverse=True):
        text = text.replace(word, " ")
    found = 0
    for word in _LONGEST_FIRST:
        if word in text:
            text, found = text.replace(word, " "), found + 1
    rest = _without_runs(text)
    letters = re.sub(r"[^a-z]", "", rest) if rest.isascii() else rest
    # One or two kinds of left-over letters do not make it strong, nor does a number that people know by heart;
    # two words of the list together may.
    memorable = len(re.sub(r"[^a-z0-9]", "", rest)) <= _NUMBER_MAX
    return found <= 1 and len(set(letters)) <= 2 and memorable  # noqa: PLR2004


def _without_runs(text: str) -> str:
    """Without pieces of an alphabet or keyboard row, forwards or backwards, and with repeats made single."""
    for run in _RUNS:
        for row in (run, run[::-1]):
            for length in range(len(row), _RUN_LENGTH - 1, -1):
                for start in range(len(row) - length + 1):
                    text = text.replace(row[start : start + length], " ")
    return re.sub(r"(.+?)\1+", r"\1", text)
