"""Leads as staff and programs read them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from vivero_control.domain.figures.schemas import Rate, Verdict

LARGEST_SCORE: Final = 100


class Sign(StrEnum):
    """Something that is known of a trial, and says that it may become a customer."""

    COMPANY = "company-address"
    CONFIRMED = "confirmed"
    COLLEAGUE = "colleague"
    FIRST_RECORD = "first-record"
    TEAM = "team"
    ACTIVE = "active"
    IMPORT = "import"
    RETURNED = "returned"
    API_KEY = "api-key"
    NEAR_LIMIT = "near-limit"
    CHECKOUT = "checkout"


class Outcome(StrEnum):
    """What has become of a trial."""

    OPEN = "open"
    PAID = "paid"
    LOST = "lost"
    """It has been over for a week, and nothing was paid."""


class Reason(Struct, frozen=True, kw_only=True):
    """What points were given for."""

    sign: Sign
    words: Annotated[str, Meta(description="The same for people.")]
    points: Annotated[int, Meta(description="Of the score.")]
    seen_at: Annotated[datetime | None, Meta(description="When it was first so; null while it is not.")]


class Owner(Struct, frozen=True, kw_only=True):
    """Who of the staff looks after it."""

    id: Annotated[UUID, Meta(description="Of the staff member.")]
    email: Annotated[str, Meta(description="Their address.")]


class LeadRow(Struct, frozen=True, kw_only=True):
    """A trial with its score."""

    id: Annotated[str, Meta(description="Of the signup.")]
    company: Annotated[str, Meta(description="As the signup said it.")]
    slug: Annotated[str, Meta(description="Of its address; a later signup may have it now.")]
    email: Annotated[str, Meta(description="Of who signed up.")]
    source: Annotated[str, Meta(description="Where it came from.")]
    created_at: Annotated[datetime, Meta(description="When it signed up.")]
    trial_ends_at: Annotated[datetime | None, Meta(description="As the signup was promised; staff may have moved it.")]
    outcome: Outcome
    score: Annotated[int, Meta(ge=0, le=LARGEST_SCORE, description="The sum of the points.")]
    reasons: Annotated[tuple[Reason, ...], Meta(description="What the points are for, the most first.")]
    owner: Annotated[Owner | None, Meta(description="Null while nobody looks after it.")]
    assigned_at: Annotated[datetime | None, Meta(description="When it was given to them.")]


class LeadDetail(Struct, frozen=True, kw_only=True):
    """One lead, with the whole table of points."""

    lead: LeadRow
    table: Annotated[tuple[Reason, ...], Meta(description="Every sign, also those not seen of it.")]


class BandView(Struct, frozen=True, kw_only=True):
    """Trials whose score was within bounds a week after the signup, and how many of them have paid."""

    least: Annotated[int, Meta(description="The lowest score of the band.")]
    most: Annotated[int, Meta(description="The highest.")]
    paid: Annotated[Rate, Meta(description="Paid, of the trials whose outcome is known.")]
    verdict: Annotated[Verdict, Meta(description="Against the goal of all trials.")]


class Calibration(Struct, frozen=True, kw_only=True):
    """What the score was worth so far."""

    bands: Annotated[tuple[BandView, ...], Meta(description="The highest first.")]
    goal: Annotated[float, Meta(description="Share of trials that are to become customers.")]
    days: Annotated[int, Meta(description="How long after the signup the score was taken; earlier where they paid.")]
    least_outcomes: Annotated[int, Meta(description="With fewer known outcomes a band says nothing.")]


class LeadQuery(Struct, frozen=True, kw_only=True):
    """Which leads, and which part of them."""

    search: str = ""
    """Part of company, address or slug, whatever the case."""
    outcome: Outcome | None = Outcome.OPEN
    owner: str = ""
    """Id of a staff member, `none` for those that nobody looks after, empty for all."""
    least: int = 0
    """Of the score."""
    limit: int = 50
    offset: int = 0


class Assignment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to look after a lead."""

    staff_id: Annotated[UUID | None, Meta(description="An active staff member; null: nobody.")]
