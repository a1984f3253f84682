"""How much of what strangers are refused is written into an audit log: who tries, not how often, and never so much that it fills up."""

from datetime import timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=1)
MOST: Final = 30
"""Entries of one kind in a window: from so many addresses or on so many accounts at once, more say nothing new."""


def is_worth_an_entry(same: int, all_alike: int) -> bool:
    """Whether a refusal is written down.

    Args:
        same: entries of this kind within the last WINDOW, about the same account and from the same address.
        all_alike: entries of this kind within it, about anybody and from anywhere.
    """
    return same == 0 and all_alike < MOST
