"""Jobs that mail links: descriptions for any payload; an outdated reset is not replayed."""

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
    """The job as of a time after NOW; its dependencies are not used here."""
    return kind(NOBODY, NOBODY, "https://vivero.example", "vivero.example", lambda: NOW + after)


async def test_a_reset_can_be_replayed_while_it_is_recent() -> None:
    await job(ResetJob, RESET_VALID_FOR).on_replay(NOBODY, PAYLOADS[0])
    with pytest.raises(TooOldError):
        await job(ResetJob, RESET_VALID_FOR + timedelta(seconds=1)).on_replay(NOBODY, PAYLOADS[0])


async def test_an_invitation_can_be_replayed_at_any_time() -> None:
    await job(InvitationJob, 2 * INVITATION_VALID_FOR).on_replay(NOBODY, PAYLOADS[1])


@pytest.mark.parametrize("kind", KINDS)
@given(st.dictionaries(st.sampled_from(["email", "at", "staff_id", "newer"]), st.text() | st.integers() | st.none()))
def test_it_is_described_whatever_its_payload(kind: type[LinkJob], odd: dict[str, Any]) -> None:
    assert job(kind).describe(odd).what


@pytest.mark.parametrize(("kind", "payload"), list(zip(KINDS, PAYLOADS, strict=True)))
def test_its_description_names_the_recipient(kind: type[LinkJob], payload: dict[str, Any]) -> None:
    assert job(kind).describe(payload).recipient == "ada@vivero.example"
