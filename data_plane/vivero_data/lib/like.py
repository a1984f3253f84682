"""SQL's LIKE for what people type: nothing in it is a wildcard, and letters are found however they are composed; pure."""

from unicodedata import normalize


def like(column: str, text: str, *, anywhere: bool) -> tuple[str, tuple[str, ...]]:
    """The condition that a column's text begins with `text`, or has it anywhere, and its parameters."""
    patterns = tuple(f"{'%' if anywhere else ''}{_literal(spelling)}%" for spelling in _spellings(text))
    likes = " OR ".join([f"{column} LIKE %s"] * len(patterns))
    return (likes if len(patterns) == 1 else f"({likes})"), patterns


def _spellings(text: str) -> list[str]:
    """A text with its letters composed and taken apart: LIKE compares sign by sign, and texts are stored as they came."""
    return list(dict.fromkeys([text, normalize("NFC", text), normalize("NFD", text)]))


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
