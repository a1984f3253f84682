"""The three choices of a notation in a form: the workspace's in the settings, a person's own in their account; pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from vivero_web.errors import InvalidInputError

from vivero_data.domain.notation.service import time_zones
from vivero_data.lib.notation import Dates, Numbers


class Chosen(Struct, frozen=True):
    """What a form says; None or an empty zone: nothing chosen."""

    zone: str
    numbers: Numbers | None
    dates: Dates | None


def chosen(form: Mapping[str, str]) -> Chosen:
    """What was chosen.

    Raises:
        InvalidInputError: a notation that is not in the lists; the time zone is the service's to check.
    """
    numbers, dates = form.get("number_notation", ""), form.get("date_notation", "")
    if numbers not in {"", *Numbers}:
        raise InvalidInputError.of("number_notation", "must be one of those in the list")
    if dates not in {"", *Dates}:
        raise InvalidInputError.of("date_notation", "must be one of those in the list")
    return Chosen(
        form.get("time_zone", "").strip(), Numbers(numbers) if numbers else None, Dates(dates) if dates else None
    )


def choices(unchosen: str) -> dict[str, Any]:
    """The options of the three lists; `unchosen` says what it means when no notation is chosen."""
    return {
        "zones": [(name, name.replace("_", " ")) for name in sorted(time_zones())],
        "numbers": [("", unchosen), *((one.value, one.value) for one in Numbers)],
        "dates": [("", unchosen), *((one.value, one.value) for one in Dates)],
    }
