"""How much of a limit is used, in per cent, and from where on people are told; pure."""

from typing import Final

NEARLY_FULL: Final = 80
FULL: Final = 100
_BELOW: Final = 5  # so much has to be free again before a level counts as left


def percent(used: int, limit: int) -> int:
    """Used part of a limit, 0..100; a limit of zero is full."""
    if limit <= 0:
        return FULL
    return min(FULL, max(0, used * FULL // limit))


def level_now(told: int, used: int, limit: int | None) -> int:
    """The level that is reached: FULL, NEARLY_FULL or 0; `told` is the one that was told last.

    What goes up and down around a level stays at it, so that nobody is told of it again and again.
    """
    if limit is None or not used:
        return 0
    share = percent(used, limit)
    return next((level for level in (FULL, NEARLY_FULL) if share >= level - (_BELOW if told >= level else 0)), 0)
