"""Figures of the business as staff and programs read them."""

import datetime as dt
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class Stage(StrEnum):
    """How far a prospect has come."""

    SIGNUP = "signup"
    CONFIRMED = "confirmed"
    PROVISIONED = "provisioned"
    FIRST_VALUE = "first-value"
    """The workspace holds a record."""
    ACTIVE = "active"
    """Several people have it in use: two of them, and twenty records."""
    PAID = "paid"


class Verdict(StrEnum):
    """What a rate says about its goal."""

    ABOVE = "above"
    BELOW = "below"
    TOO_EARLY = "too-early-to-tell"
    """The goal is within the interval: more outcomes are needed."""


class Rate(Struct, frozen=True, kw_only=True):
    """A share of those whose outcome is known, with its 95 % interval (Wilson)."""

    of: Annotated[int, Meta(description="How many there are.")]
    count: Annotated[int, Meta(description="How many of them.")]
    share: Annotated[float | None, Meta(description="From 0 to 1; null where there is none to count.")]
    low: Annotated[float, Meta(description="The least that the true share may well be.")]
    high: Annotated[float, Meta(description="The most that it may well be.")]


class WeekView(Struct, frozen=True, kw_only=True):
    """Signups of one week, and what has become of them until now."""

    week: Annotated[dt.date, Meta(description="Its Monday; weeks begin at midnight UTC.")]
    visits: Annotated[int, Meta(description="Page loads of the landing page in browsers, in that week.")]
    signups: Annotated[int, Meta(description="Requests for a workspace.")]
    confirmed: Annotated[Rate, Meta(description="Those whose owner confirmed the address.")]
    provisioned: Annotated[Rate, Meta(description="Those whose workspace worked.")]
    first_value: Annotated[Rate, Meta(description="Those whose workspace has held a record.")]
    active: Annotated[Rate, Meta(description="Those whose workspace has had two people and twenty records.")]
    paid: Annotated[Rate, Meta(description="Those that have paid an invoice.")]
    is_open: Annotated[bool, Meta(description="Trials of that week still run: that few have paid says nothing yet.")]


class SourceView(Struct, frozen=True, kw_only=True):
    """Where prospects came from."""

    source: Annotated[str, Meta(description="`utm_source`, else the host that led here, else `direct`.")]
    campaign: Annotated[str, Meta(description="`utm_campaign`; empty where none was said.")]
    visits: Annotated[int, Meta(description="Page loads of the landing page.")]
    signups: Annotated[int, Meta(description="Requests for a workspace.")]
    paid: Annotated[int, Meta(description="Of these signups, those that have paid.")]


class Conversion(Struct, frozen=True, kw_only=True):
    """Trials that became customers, of those that are over or have paid."""

    rate: Annotated[Rate, Meta(description="Paid, of all trials whose outcome is known.")]
    goal: Annotated[float, Meta(description="What it is compared with.")]
    verdict: Verdict


class FirstValue(Struct, frozen=True, kw_only=True):
    """How long it took from the signup to the first record."""

    count: Annotated[int, Meta(description="Of how many signups it is known.")]
    median_seconds: Annotated[
        int | None, Meta(description="Half of them took no longer; seen within a minute. Null without any.")
    ]


class Money(Struct, frozen=True, kw_only=True):
    """Revenue that repeats, in one currency, by the subscriptions that are paid now; coupons are not taken off."""

    currency: Annotated[str, Meta(description="Such as `EUR`.")]
    customers: Annotated[int, Meta(description="Who pays.")]
    mrr_cents: Annotated[int, Meta(description="For a month; of a year, the twelfth part.")]
    arr_cents: Annotated[int, Meta(description="For a year.")]
    arpa_cents: Annotated[int, Meta(description="For a month, of one customer on average.")]


class Churn(Struct, frozen=True, kw_only=True):
    """Customers who paid thirty days ago and do not now."""

    rate: Annotated[Rate, Meta(description="Lost, of those who paid then.")]
    days: Annotated[int, Meta(description="How long ago is compared.")]


class FiguresView(Struct, frozen=True, kw_only=True):
    """How the business goes."""

    at: Annotated[datetime, Meta(description="When it was calculated.")]
    weeks: Annotated[tuple[WeekView, ...], Meta(description="The newest first; the first has not ended.")]
    sources: Annotated[tuple[SourceView, ...], Meta(description="Of the same weeks, the most signups first.")]
    conversion: Conversion
    conversion_of_active: Annotated[Rate, Meta(description="The same of trials whose workspace was active.")]
    conversion_of_others: Annotated[Rate, Meta(description="The same of the other trials.")]
    first_value: FirstValue
    money: Annotated[tuple[Money, ...], Meta(description="One for each currency.")]
    churn: Churn


class Tile(StrEnum):
    """A figure whose rows can be seen."""

    SIGNUP = "signup"
    CONFIRMED = "confirmed"
    PROVISIONED = "provisioned"
    FIRST_VALUE = "first-value"
    ACTIVE = "active"
    PAID = "paid"
    CONVERSION = "conversion"
    """Trials whose outcome is known."""
    PAYING = "paying"
    LOST = "lost"


class FigureRow(Struct, frozen=True, kw_only=True):
    """What was counted: a signup, or a customer."""

    company: Annotated[str, Meta(description="As the signup said it; of a customer without one, the Tenant's name.")]
    slug: Annotated[str, Meta(description="Of its address; a later signup may have it now.")]
    at: Annotated[datetime, Meta(description="When it signed up, or became a customer.")]
    confirmed_at: Annotated[datetime | None, Meta(description="When its owner confirmed the address.")] = None
    provisioned_at: Annotated[datetime | None, Meta(description="When its workspace was seen to have worked.")] = None
    first_value_at: Annotated[datetime | None, Meta(description="When it was first seen to hold a record.")] = None
    active_at: Annotated[datetime | None, Meta(description="When it was first seen to be active.")] = None
    paid_at: Annotated[
        datetime | None, Meta(description="When its first invoice with an amount was made that is paid.")
    ] = None
    source: Annotated[str, Meta(description="Where it came from.")] = ""


class FigureRows(Struct, frozen=True, kw_only=True):
    """The rows behind a figure."""

    tile: Tile
    week: Annotated[dt.date | None, Meta(description="Whose signups they are; null: of all weeks that are shown.")]
    count: Annotated[int, Meta(description="How many there are: the figure.")]
    rows: Annotated[tuple[FigureRow, ...], Meta(description="The newest 1,000 of them.")]
