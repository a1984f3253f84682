"""Schedules of mails as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from litestar.params import PathParameter
from msgspec import UNSET, UnsetType
from vivero_web.errors import ConflictError, NotFoundError
from vivero_web.fields import LARGEST, Email

MAX_RECIPIENTS: Final = 50
MAX_SCHEDULES: Final = 100
ScheduleId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The schedule's number.")]


class Subject(StrEnum):
    """What is sent."""

    REPORT = "report"
    DASHBOARD = "dashboard"


class Every(StrEnum):
    """How often."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class SendingState(StrEnum):
    """What came of a mail; the last two are final."""

    WAITING = "waiting"
    FAILED = "failed"
    SKIPPED = "skipped"
    SENT = "sent"


SubjectId = Annotated[int, msgspec.Meta(ge=1, le=LARGEST, description="The report's or dashboard's number.")]
Hour = Annotated[int, msgspec.Meta(ge=0, le=23, description="In the time zone of the workspace.")]
Weekday = Annotated[int, msgspec.Meta(ge=0, le=6, description="0 is Monday; only of weekly ones.")]
Day = Annotated[
    int, msgspec.Meta(ge=1, le=31, description="Of the month, or its last where it is shorter; only of monthly ones.")
]
Recipients = Annotated[
    tuple[Email, ...],
    msgspec.Meta(
        max_length=MAX_RECIPIENTS,
        description="E-mails of people of the workspace; each gets what they may see when it is sent.",
    ),
]
Active = Annotated[bool, msgspec.Meta(description="Whether it is sent; false pauses it.")]


class NewReportSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A schedule to make."""

    subject: Subject
    subject_id: SubjectId
    recipients: Recipients
    every: Every = Every.WEEK
    hour: Hour = 7
    weekday: Weekday = 0
    day: Day = 1
    active: Active = True


class ReportScheduleChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; absent parts stay as they are."""

    recipients: Recipients | UnsetType = UNSET
    every: Every | UnsetType = UNSET
    hour: Hour | UnsetType = UNSET
    weekday: Weekday | UnsetType = UNSET
    day: Day | UnsetType = UNSET
    active: Active | UnsetType = UNSET


class ReportSchedule(msgspec.Struct, frozen=True):
    """A schedule as it is stored."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    subject: Subject
    subject_id: SubjectId
    name: Annotated[str, msgspec.Meta(description="Of the report or dashboard; empty if it was deleted.")]
    recipients: Recipients
    every: Every
    hour: Hour
    weekday: Weekday
    day: Day
    active: Active
    next_at: Annotated[datetime | None, msgspec.Meta(description="When it is sent next; null while it is paused.")]
    ended: Annotated[str, msgspec.Meta(description="Why it was ended by itself; empty if it was not.")]
    problem: Annotated[str, msgspec.Meta(description="Why the newest mail was not sent; empty if it was.")]
    owner: Annotated[str, msgspec.Meta(description="E-mail of who made it.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]


class Sending(msgspec.Struct, frozen=True):
    """One mail of one period to one person."""

    id: Annotated[int, msgspec.Meta(description="Its number.")]
    due_at: Annotated[datetime, msgspec.Meta(description="The period that it is for.")]
    recipient: Annotated[str, msgspec.Meta(description="E-mail of who gets it; empty if that person is gone.")]
    state: SendingState
    problem: Annotated[str, msgspec.Meta(description="Why it was not sent.")]
    ended_at: Annotated[datetime | None, msgspec.Meta(description="When the mail server took it, or it was given up.")]


class ReportScheduleNotFoundError(NotFoundError):
    """No schedule has this number, or the caller has nothing to do with it."""

    def __init__(self) -> None:
        super().__init__("There is no such schedule.")


class ReportSchedulesFullError(ConflictError):
    """A workspace has a bounded number of schedules, whatever its plan."""

    def __init__(self) -> None:
        super().__init__(f"A workspace sends at most {MAX_SCHEDULES} reports by e-mail.")
