"""Formatting specific to the workspace; sizes, dates and numbers are UI kit filters. Pure, the clock is passed in."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from vivero_web.links import INVITATION_VALID_FOR

from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.usage.levels import FULL, NEARLY_FULL, percent
from vivero_data.domain.users.schemas import Invitation
from vivero_data.web import writing

_DAY: Final = 86_400  # seconds

_SENDING: Final = timedelta(minutes=2)  # as long as clients/mail.py tries

Level = Literal["ok", "warning", "error"]
InvitationState = Literal["sending", "sent", "unsent", "expired"]


def aware(moment: datetime) -> datetime:
    """The same time as an aware datetime; the database returns naive UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def days_left(end: datetime, now: datetime) -> int:
    """Whole or begun days until `end`; never negative."""
    seconds = (aware(end) - aware(now)).total_seconds()
    return max(0, -int(-seconds // _DAY))


def level(used: int, limit: int | None) -> Level:
    """How a meter looks: `ok`, `warning` from 80 %, `error` when full."""
    if limit is None:
        return "ok"
    share = percent(used, limit)
    if share >= FULL:
        return "error"
    return "warning" if share >= NEARLY_FULL else "ok"


def invitation_state(invitation: Invitation, now: datetime) -> InvitationState:
    """The invitation's state; one that was not sent in time will not be sent any more."""
    if invitation.expires_at <= now:
        return "expired"
    if invitation.sent_at is not None:
        return "sent"
    made = invitation.expires_at - INVITATION_VALID_FOR
    return "sending" if now - made < _SENDING else "unsent"


def cell(value: object) -> str:
    """One value of a record as a table shows it; empty for null."""
    match value:
        case None:
            text = ""
        case bool():
            text = "Yes" if value else "No"
        case Linked():
            text = value.title or f"Deleted record {value.id}"
        case datetime():
            text = writing.moment(value)
        case date():
            text = writing.day(value)
        case int() | Decimal():
            text = writing.number(value)
        case list() | tuple():
            text = ", ".join(map(cell, value))
        case _:
            text = str(value)
    return text
