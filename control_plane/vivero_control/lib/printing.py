"""Which characters documents for print can show."""

from typing import Final

PRINTED: Final = (
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x218, 0x21B),
    (0x384, 0x38A),
    (0x38E, 0x3A1),
    (0x3A3, 0x3CE),
    (0x400, 0x45F),
    (0x490, 0x491),
    (0x1EA0, 0x1EF9),
    (0x2013, 0x2014),
    (0x2018, 0x201E),
    (0x2026, 0x2026),
    (0x20AC, 0x20AC),
    (0x2116, 0x2116),
    (0x2122, 0x2122),
)
"""First and last of the characters that the font of invoices has: Latin, Greek and Cyrillic letters, digits and signs."""


def unprintable(text: str) -> str:
    """The characters that the font of invoices lacks, each once; line breaks aside."""
    missing = (
        letter for letter in text if letter != "\n" and not any(first <= ord(letter) <= last for first, last in PRINTED)
    )
    return "".join(dict.fromkeys(missing))
