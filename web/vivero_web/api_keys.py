"""API keys of people, as all programs have them: how long they are good, how their secret is changed, and their errors."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Final

import msgspec

from vivero_web.errors import ConflictError, FieldError, NotFoundError
from vivero_web.fields import documented
from vivero_web.text import name_problem, tidy, whole_number

NAME_MAX: Final = 80
MAX_KEYS: Final = 50
"""Of one person."""
DEFAULT_DAYS: Final = 90
MAX_DAYS: Final = 365
DEFAULT_OVERLAP_HOURS: Final = 24
MAX_OVERLAP_HOURS: Final = 7 * 24
USE_NOTED_EVERY: Final = timedelta(minutes=1)
"""A busy program would otherwise write one row at every request."""

KeyName = Annotated[str, documented("What the key is for, as people read it.", minLength=1, maxLength=NAME_MAX)]
Days = Annotated[
    int,
    msgspec.Meta(
        ge=1, le=MAX_DAYS, description="For how many days it is good; so many again when its secret is rotated."
    ),
]

DAYS_OFFERED: Final = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "a year"))
"""In the pages' forms."""
OVERLAPS_OFFERED: Final = (
    (0, "at once"),
    (1, "in an hour"),
    (24, "in a day"),
    (72, "in three days"),
    (168, "in a week"),
)


class ApiKeyChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; absent fields stay as they are."""

    name: KeyName | None = None


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the secret from before ends."""

    overlap_hours: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=MAX_OVERLAP_HOURS, description="For how many hours the secret from before is good as well."
        ),
    ] = DEFAULT_OVERLAP_HOURS

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.overlap_hours)


class KeyNotFoundError(NotFoundError):
    """The caller has no such key."""

    def __init__(self) -> None:
        super().__init__("You have no such API key.")


class TooManyKeysError(ConflictError):
    """Nobody needs that many; a program that makes them would fill the table."""

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_KEYS} API keys; revoke one first.")


def key_name_problem(name: str) -> str | None:
    """Why a key cannot have this name, which is tidy already."""
    return name_problem(name, NAME_MAX) if name else "Say what the key is for."


def new_key_problems(name: str, scopes: Sequence[str], allowed: Collection[str], role: str) -> list[FieldError]:
    """What is wrong with a new key, by field; `allowed` is what the role of its owner, in words, can give."""
    problem = key_name_problem(tidy(name))
    errors = [FieldError("name", problem)] if problem else []
    return errors + [
        FieldError(f"scopes[{place}]", f"Your own role, {role}, does not have this permission.")
        for place, scope in enumerate(scopes)
        if scope not in allowed
    ]


def chosen_days(form: Mapping[str, str]) -> int:
    """The field `valid_days` of the form of a new key."""
    return _chosen(form.get("valid_days", ""), dict(DAYS_OFFERED), DEFAULT_DAYS)


def chosen_rotation(form: Mapping[str, str]) -> Rotation:
    """The field `overlap_hours` of the form for another secret."""
    return Rotation(_chosen(form.get("overlap_hours", ""), dict(OVERLAPS_OFFERED), DEFAULT_OVERLAP_HOURS))


def options(offered: tuple[tuple[int, str], ...]) -> list[tuple[str, str]]:
    """As a form's select has them."""
    return [(str(value), words) for value, words in offered]


def _chosen(typed: str, offered: Mapping[int, str], otherwise: int) -> int:
    number = whole_number(typed)
    return number if number is not None and number in offered else otherwise
