"""A reset as a job: in words that hold whatever its payload is, and not revived when nobody waits for it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW
from vivero_control.domain.staff.jobs import Asked, ResetJob, TooOldError
from vivero_web.links import RESET_VALID_FOR

NOBODY: Any = None


def job(after: timedelta = timedelta()) -> ResetJob:
    """As the worker has it so long after NOW; what it works with is not asked here."""
    return ResetJob(NOBODY, NOBODY, "https://vivero.example", "vivero.example", lambda: NOW + after)


def payload() -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(Asked("ada@vivero.example", NOW))
    return made


async def test_it_is_revived_while_somebody_waits() -> None:
    await job(RESET_VALID_FOR).revived(NOBODY, payload())
    with pytest.raises(TooOldError):
        await job(RESET_VALID_FOR + timedelta(seconds=1)).revived(NOBODY, payload())


@given(st.dictionaries(st.sampled_from(["email", "at", "newer"]), st.text() | st.integers() | st.none()))
def test_it_has_words_whatever_it_holds(odd: dict[str, Any]) -> None:
    assert job().words(odd).what


def test_its_words_say_for_whom() -> None:
    assert job().words(payload()).whom == "ada@vivero.example"
