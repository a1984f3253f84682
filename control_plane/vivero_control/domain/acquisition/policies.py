"""What a customer costs by channel, by rows. Pure, the time passed in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Final

from msgspec import structs
from vivero_web.errors import FieldError
from vivero_web.text import name_problem, tidy

from vivero_control.domain.acquisition.schemas import Acquired, ChannelCost, CostChange, MonthAcquired
from vivero_control.domain.figures.policies import Prospect, at_stage, decided
from vivero_control.domain.figures.schemas import Stage
from vivero_control.domain.signups.leads import LONGEST

MONTHS: Final = 12
"""That are shown, the present one included."""
Key = tuple[date, str, str]


def key_of(cost: ChannelCost) -> Key:
    """What a line is about: there is one amount for each."""
    return cost.month, cost.channel, cost.currency


def month_of(moment: datetime) -> date:
    """The first day of the month in which it is, in UTC."""
    return moment.astimezone(UTC).date().replace(day=1)


def first_shown(now: datetime) -> date:
    """The earliest month that is shown."""
    months = month_of(now).year * 12 + month_of(now).month - 1 - (MONTHS - 1)
    return date(months // 12, months % 12 + 1, 1)


def beginning(month: date) -> datetime:
    return datetime.combine(month, time(), tzinfo=UTC)


def channel_of(source: str) -> str:
    """A source as costs name it: people write it with capitals or without."""
    return tidy(source.lower())


def problems(costs: Sequence[ChannelCost]) -> list[FieldError]:
    """What is wrong with a table, by line."""
    found, seen = list[FieldError](), dict[Key, int]()
    for place, cost in enumerate(costs):
        if cost.month.day != 1:
            found.append(FieldError(f"costs[{place}].month", "Give the first day of the month."))
        if cost.channel != channel_of(cost.channel):
            found.append(FieldError(f"costs[{place}].channel", "Write the channel in lower case."))
        elif problem := name_problem(cost.channel, LONGEST) if cost.channel else "Name the channel.":
            found.append(FieldError(f"costs[{place}].channel", problem))
        if (first := seen.setdefault(key_of(cost), place)) != place:
            found.append(FieldError(f"costs[{place}]", f"Line {first + 1} is about the same month and channel."))
    return found


def changes(costs: Iterable[ChannelCost], known: Mapping[Key, int]) -> tuple[CostChange, ...]:
    """The lines that say something else than what is known."""
    return tuple(
        CostChange(cost=cost, before=known.get(key_of(cost)))
        for cost in costs
        if cost.cents != known.get(key_of(cost), 0)
    )


def in_month(prospects: Iterable[Prospect], month: date, channel: str) -> list[Prospect]:
    """Who signed up in a month and came by a channel."""
    return by_origin(prospects).get((month, channel), [])


def by_origin(prospects: Iterable[Prospect]) -> dict[tuple[date, str], list[Prospect]]:
    """By the month of the signup and the channel."""
    found: defaultdict[tuple[date, str], list[Prospect]] = defaultdict(list)
    for one in prospects:
        found[month_of(one.created_at), channel_of(one.source)].append(one)
    return dict(found)


def acquired(
    costs: Sequence[ChannelCost], prospects: Iterable[Prospect], now: datetime
) -> tuple[tuple[Acquired, ...], tuple[MonthAcquired, ...]]:
    """By channel, the dearest first, of each the months in which its cost is known; and by month, the newest first."""
    came = by_origin(prospects)

    def line(of: Sequence[ChannelCost]) -> Acquired:
        return _acquired(of, [person for one in of for person in came.get((one.month, one.channel), [])], now)

    def name(cost: ChannelCost) -> tuple[str, str]:
        return cost.channel, cost.currency

    channels = [line(list(group)) for _, group in groupby(sorted(costs, key=name), key=name)]
    by_newest = sorted(costs, key=lambda one: (-one.month.toordinal(), one.channel, one.currency))
    return (
        tuple(sorted(channels, key=lambda one: (-one.cost_cents, one.channel, one.currency))),
        tuple(MonthAcquired(month=one.month, **structs.asdict(line([one]))) for one in by_newest),
    )


def _acquired(costs: Sequence[ChannelCost], came: Sequence[Prospect], now: datetime) -> Acquired:
    cents, paid = sum(one.cents for one in costs), len(at_stage(came, Stage.PAID))
    return Acquired(
        channel=costs[0].channel,
        currency=costs[0].currency,
        cost_cents=cents,
        signups=len(came),
        confirmed=len(at_stage(came, Stage.CONFIRMED)),
        paid=paid,
        cents_a_signup=round(cents / len(came)) if came else None,
        cents_a_customer=round(cents / paid) if paid else None,
        is_open=len(decided(came, now)) < len(came) or any(one.month == month_of(now) for one in costs),
    )
