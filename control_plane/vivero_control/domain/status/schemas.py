"""The status page as programs read it, and what staff write for it."""

import datetime as dt
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from vivero_web.fields import documented

TITLE_MAX: Final = 120
TEXT_MAX: Final = 2000
COMPONENTS_MAX: Final = 5


class Component(StrEnum):
    """A part of the service, as customers know it."""

    SIGNUP = "signup"
    WORKSPACES = "workspaces"
    API = "api"
    PAYMENTS = "payments"
    BACKUPS = "backups"


class ComponentState(StrEnum):
    """What was measured of a component in one minute, or the sum of many."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    """It works for most, or slowly."""
    OUTAGE = "outage"
    NOT_MEASURED = "not-measured"
    """Nothing is known, so nothing is claimed."""


class IncidentState(StrEnum):
    """How far an incident is; the last three are those of planned maintenance."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    PLANNED = "planned"
    UNDER_WAY = "under-way"
    COMPLETED = "completed"


class DayView(Struct, frozen=True, kw_only=True):
    """A day, in UTC, by its minutes."""

    day: Annotated[dt.date, Meta(description="The day, in UTC.")]
    state: Annotated[ComponentState, Meta(description="The day as a whole.")]
    operational: Annotated[int, Meta(description="Minutes in which it worked.")]
    degraded: Annotated[int, Meta(description="Minutes in which it worked for most, or slowly.")]
    outage: Annotated[int, Meta(description="Minutes in which it did not work.")]
    not_measured: Annotated[int, Meta(description="Minutes of the day, up to now, of which nothing is known.")]


class ComponentView(Struct, frozen=True, kw_only=True):
    """One component, now and in the last 90 days."""

    component: Component
    state: Annotated[ComponentState, Meta(description="As last measured; `not-measured` when that is too long ago.")]
    measured_at: Annotated[datetime, Meta(description="When it was last measured.")]
    uptime: Annotated[
        float | None,
        Meta(description="Share of the measured minutes that were no outage, from 0 to 1; null without any."),
    ]
    days: Annotated[tuple[DayView, ...], Meta(description="90 days, the oldest first; the last is today.")]


class UpdateView(Struct, frozen=True, kw_only=True):
    """What was said about an incident at one moment."""

    at: Annotated[datetime, Meta(description="When it was said.")]
    state: IncidentState
    text: Annotated[str, Meta(description="In words.")]


class IncidentView(Struct, frozen=True, kw_only=True):
    """An incident, or planned maintenance."""

    id: Annotated[int, Meta(description="Names it in addresses.")]
    title: Annotated[str, Meta(description="In a few words.")]
    kind: Annotated[Literal["incident", "maintenance"], Meta(description="Whether it was planned.")]
    state: IncidentState
    components: Annotated[tuple[Component, ...], Meta(description="What it concerns.")]
    begins_at: Annotated[datetime, Meta(description="When it began, or is planned to.")]
    ends_at: Annotated[datetime | None, Meta(description="When it ended, or is planned to; null while not known.")]
    is_open: Annotated[bool, Meta(description="Whether it is still being worked on, or ahead.")]
    updates: Annotated[tuple[UpdateView, ...], Meta(description="What was said, the newest first.")]


class StatusView(Struct, frozen=True, kw_only=True):
    """The status page."""

    state: Annotated[ComponentState, Meta(description="The whole: the worst of its components and open incidents.")]
    current: Annotated[
        bool, Meta(description="False while our database does not answer: then this is what was last known.")
    ]
    read_at: Annotated[datetime | None, Meta(description="When it was read; null when nothing is known.")]
    components: Annotated[tuple[ComponentView, ...], Meta(description="Those that were measured in the last 90 days.")]
    incidents: Annotated[
        tuple[IncidentView, ...], Meta(description="Open ones first, then those of the last 90 days, the newest first.")
    ]


_TITLE: Final = documented("In a few words.", minLength=1, maxLength=TITLE_MAX)
_TEXT: Final = documented("What is known and what is being done, in words.", minLength=1, maxLength=TEXT_MAX)


Moment = Annotated[datetime, Meta(tz=True)]


class NewIncident(Struct, frozen=True, kw_only=True):
    """An incident or maintenance to announce; which of the two, its state says."""

    title: Annotated[str, _TITLE]
    text: Annotated[str, _TEXT]
    state: IncidentState
    components: Annotated[
        list[Component], documented("What it concerns.", minItems=1, maxItems=COMPONENTS_MAX, uniqueItems=True)
    ]
    begins_at: Annotated[
        Moment | None, Meta(description="When it began, if not now; of maintenance, when it will.")
    ] = None
    ends_at: Annotated[Moment | None, Meta(description="When maintenance is planned to end.")] = None


class NewUpdate(Struct, frozen=True, kw_only=True):
    """What is said about it now."""

    state: IncidentState
    text: Annotated[str, _TEXT]
