"""Costs of channels, and what came of them, as staff and programs read them."""

import datetime as dt
from typing import Annotated, Final

from msgspec import Meta, Struct

from vivero_control.domain.signups.leads import LONGEST

MOST: Final = 500
"""Lines of one table."""
MOST_CENTS: Final = 10**12

Month = Annotated[dt.date, Meta(description="The first day of the month, UTC.")]
Channel = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST,
        description="As the figures name sources: `utm_source`, else the host that led here, else `direct`; in lower case.",
    ),
]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="Such as `EUR`.")]


class ChannelCost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a channel cost in a month."""

    month: Month
    channel: Channel
    cents: Annotated[int, Meta(ge=0, le=MOST_CENTS, description="0 takes the line out.")]
    currency: Currency = "EUR"


class NewCosts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of costs: it replaces what was said of the months, channels and currencies that it names."""

    costs: Annotated[tuple[ChannelCost, ...], Meta(min_length=1, max_length=MOST, description="Each names another.")]


class CostChange(Struct, frozen=True, kw_only=True):
    """What a table changes."""

    cost: ChannelCost
    before: Annotated[int | None, Meta(description="Cents that were said before; null: none.")]


class CostChanges(Struct, frozen=True, kw_only=True):
    """What a table changed, or would."""

    changes: Annotated[tuple[CostChange, ...], Meta(description="Lines that differ from what was said before.")]


class Acquired(Struct, frozen=True, kw_only=True):
    """What a channel cost, and who came by it in the same months."""

    channel: Channel
    currency: Currency
    cost_cents: Annotated[int, Meta(description="The sum.")]
    signups: Annotated[int, Meta(description="Requests for a workspace.")]
    confirmed: Annotated[int, Meta(description="Of these, whose owner confirmed the address.")]
    paid: Annotated[int, Meta(description="Of these, who have paid an invoice until now.")]
    cents_a_signup: Annotated[int | None, Meta(description="Null without signups.")]
    cents_a_customer: Annotated[int | None, Meta(description="Null while none has paid.")]
    is_open: Annotated[bool, Meta(description="Trials of these months still run: a customer may yet become cheaper.")]


class MonthAcquired(Acquired, frozen=True, kw_only=True):
    """The same of one month."""

    month: Month


class AcquisitionView(Struct, frozen=True, kw_only=True):
    """Of the months that are shown, those in which a cost is known."""

    since: Annotated[dt.date, Meta(description="The first month that is shown.")]
    channels: Annotated[tuple[Acquired, ...], Meta(description="The dearest first.")]
    months: Annotated[tuple[MonthAcquired, ...], Meta(description="What they are the sums of, the newest first.")]
