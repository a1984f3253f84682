"""Links by mail as jobs: in words that hold whatever the payload is; a reset is not revived when nobody waits for it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW
from vivero_control.domain.staff.jobs import (
    InvitationJob,
    InvitationRequest,
    LinkJob,
    ResetJob,
    ResetRequest,
    TooOldError,
)
from vivero_web.links import INVITATION_VALID_FOR, RESET_VALID_FOR

NOBODY: Any = None
KINDS = (ResetJob, InvitationJob)
PAYLOADS = (
    msgspec.to_builtins(ResetRequest("ada@vivero.example", NOW)),
    msgspec.to_builtins(InvitationRequest(UUID(int=7), "ada@vivero.example", "grace@vivero.example")),
)


def job(kind: type[LinkJob], after: timedelta = timedelta()) -> LinkJob:
    """As the worker has it so long after NOW; what it works with is not asked here."""
    return kind(NOBODY, NOBODY, "https://vivero.example", "vivero.example", lambda: NOW + after)


async def test_a_reset_is_revived_while_somebody_waits() -> None:
    await job(ResetJob, RESET_VALID_FOR).on_replay(NOBODY, PAYLOADS[0])
    with pytest.raises(TooOldError):
        await job(ResetJob, RESET_VALID_FOR + timedelta(seconds=1)).on_replay(NOBODY, PAYLOADS[0])


async def test_an_invitation_is_revived_at_any_time() -> None:
    await job(InvitationJob, 2 * INVITATION_VALID_FOR).on_replay(NOBODY, PAYLOADS[1])


@pytest.mark.parametrize("kind", KINDS)
@given(st.dictionaries(st.sampled_from(["email", "at", "staff_id", "newer"]), st.text() | st.integers() | st.none()))
def test_it_has_words_whatever_it_holds(kind: type[LinkJob], odd: dict[str, Any]) -> None:
    assert job(kind).describe(odd).what


@pytest.mark.parametrize(("kind", "payload"), list(zip(KINDS, PAYLOADS, strict=True)))
def test_its_words_say_for_whom(kind: type[LinkJob], payload: dict[str, Any]) -> None:
    assert job(kind).describe(payload).recipient == "ada@vivero.example"
