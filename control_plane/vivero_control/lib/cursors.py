"""Moments in the cursors of lists that are ordered by them: whole seconds, as the tables have them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from vivero_web.text import whole_number

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def written(moment: datetime) -> str:
    return str((moment - _EPOCH) // timedelta(seconds=1))


def read(text: str) -> datetime | None:
    """None when it is no moment that there is."""
    seconds = whole_number(text)
    try:
        return None if seconds is None else _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
