"""SQL LIKE for user input: wildcards are escaped, and composed and decomposed letters match; pure."""

from unicodedata import normalize


def like(column: str, text: str, *, anywhere: bool) -> tuple[str, tuple[str, ...]]:
    """The condition that a column starts with `text`, or contains it if `anywhere`, and its parameters."""
    patterns = tuple(f"{'%' if anywhere else ''}{_literal(spelling)}%" for spelling in _spellings(text))
    likes = " OR ".join([f"{column} LIKE %s"] * len(patterns))
    return (likes if len(patterns) == 1 else f"({likes})"), patterns


def _spellings(text: str) -> list[str]:
    """The text in NFC and NFD: LIKE compares character by character, and texts are stored as they were sent."""
    return list(dict.fromkeys([text, normalize("NFC", text), normalize("NFD", text)]))


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
