"""How promising a trial is, and why: a table of points over what is known of it. Pure, the time passed in.

Every sign has the moment in which it was first seen, so the score of any earlier moment can be told: it is compared with
outcomes as it was a week after the signup, and not as it became once the customer had paid.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from vivero_control.domain.accounts.usage import Meter, Usage
from vivero_control.domain.figures.policies import ACTIVE_RECORDS, ACTIVE_USERS, GOAL, Prospect, rate, verdict
from vivero_control.domain.figures.schemas import Verdict
from vivero_control.domain.leads.schemas import (
    BandView,
    Calibration,
    LeadQuery,
    LeadRow,
    Outcome,
    Owner,
    Reason,
    Sign,
)
from vivero_control.domain.signups.people import company_domain

POINTS: Final[Mapping[Sign, tuple[int, str]]] = {
    Sign.CHECKOUT: (20, "Opened the page to pay"),
    Sign.COMPANY: (10, "Address at a company"),
    Sign.TEAM: (10, "Two or more people use it"),
    Sign.ACTIVE: (10, f"{ACTIVE_USERS} people and {ACTIVE_RECORDS} records"),
    Sign.IMPORT: (10, "Imported a file"),
    Sign.RETURNED: (10, "Came back on a later day"),
    Sign.NEAR_LIMIT: (10, "Uses 80\N{NO-BREAK SPACE}% of a limit"),
    Sign.CONFIRMED: (5, "Confirmed the address"),
    Sign.COLLEAGUE: (5, "A colleague has signed up, too"),
    Sign.FIRST_RECORD: (5, "Holds a record"),
    Sign.API_KEY: (5, "Has an API key"),
}
"""The points and the words of each sign; together they are 100."""
THRESHOLDS: Final = (50, 75)
"""Scores at which the person who looks after a trial is told."""
BANDS: Final = ((75, 100), (50, 74), (25, 49), (0, 24))
CALIBRATED_AFTER: Final = timedelta(days=7)
LEAST_OUTCOMES: Final = 20
"""With fewer the interval of a share is more than forty per cent wide."""
NEAR: Final = 0.8
FROM_USAGE: Final = (Sign.TEAM, Sign.IMPORT, Sign.RETURNED, Sign.API_KEY, Sign.NEAR_LIMIT)
"""Signs that a workspace has to be asked for, and that are noted."""
UNOWNED: Final = "none"

Signs = Mapping[Sign, datetime]
"""Each sign that was seen, and when first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trial with all that its score is made of, and who looks after it."""

    prospect: Prospect
    signs: Signs
    owner: Owner | None
    assigned_at: datetime | None
    told: int


def seen_in(usage: Usage) -> set[Sign]:
    """What a workspace's answer about its use shows."""
    found = {
        Sign.TEAM: usage.users.used >= ACTIVE_USERS,
        Sign.IMPORT: usage.signs.imported,
        Sign.RETURNED: usage.signs.returned,
        Sign.API_KEY: usage.signs.has_api_key,
        Sign.NEAR_LIMIT: any(map(is_near, (usage.records, usage.users, usage.storage_bytes))),
    }
    return {sign for sign, seen in found.items() if seen}


def is_near(meter: Meter) -> bool:
    """Whether so much of a limit is used that another plan is near; an unlimited one has no end."""
    return meter.limit is not None and 0 < NEAR * meter.limit <= meter.used


def signs_of(
    prospect: Prospect, noted: Signs, *, checkout_at: datetime | None, colleague_at: datetime | None
) -> dict[Sign, datetime]:
    """All signs of a trial: those of its own rows, and those that were noted."""
    from_rows = {
        Sign.COMPANY: prospect.created_at if company_domain(prospect.email) else None,
        Sign.CONFIRMED: prospect.confirmed_at,
        Sign.COLLEAGUE: colleague_at,
        Sign.FIRST_RECORD: prospect.first_value_at,
        Sign.ACTIVE: prospect.active_at,
        Sign.CHECKOUT: checkout_at,
    }
    return dict(noted) | {sign: at for sign, at in from_rows.items() if at is not None}


def colleagues(prospects: Sequence[Prospect]) -> dict[str, datetime]:
    """By id of a signup: when another one of the same company was there, too."""
    by_domain: dict[str, list[Prospect]] = {}
    for one in sorted(prospects, key=lambda one: one.created_at):
        if domain := company_domain(one.email):
            by_domain.setdefault(domain, []).append(one)
    return {
        one.id: max(one.created_at, others[1 if one is others[0] else 0].created_at)
        for others in by_domain.values()
        if len({other.email.lower() for other in others}) > 1
        for one in others
    }


def score(signs: Signs, at: datetime) -> int:
    """As it was at a moment."""
    return sum(POINTS[sign][0] for sign, seen in signs.items() if seen <= at)


def reasons(signs: Signs) -> tuple[Reason, ...]:
    """What the points are for, the most first."""
    return tuple(one for one in table(signs) if one.seen_at is not None)


def table(signs: Signs) -> tuple[Reason, ...]:
    """Every sign, the most points first."""
    return tuple(
        Reason(sign=sign, words=words, points=points, seen_at=signs.get(sign))
        for sign, (points, words) in POINTS.items()
    )


def threshold(points: int) -> int:
    """The highest that the score has reached; 0: none."""
    return max((one for one in THRESHOLDS if points >= one), default=0)


def outcome(prospect: Prospect, now: datetime) -> Outcome:
    if prospect.paid_at is not None:
        return Outcome.PAID
    return Outcome.LOST if prospect.outcome_is_known(now) else Outcome.OPEN


def row(one: Candidate, now: datetime) -> LeadRow:
    prospect = one.prospect
    return LeadRow(
        id=prospect.id,
        company=prospect.company,
        slug=prospect.slug,
        email=prospect.email,
        source=" · ".join(part for part in (prospect.source, prospect.campaign) if part),
        created_at=prospect.created_at,
        trial_ends_at=prospect.trial_ends_at,
        outcome=outcome(prospect, now),
        score=score(one.signs, now),
        reasons=reasons(one.signs),
        owner=one.owner,
        assigned_at=one.assigned_at,
    )


def listed(candidates: Iterable[Candidate], query: LeadQuery, now: datetime) -> list[LeadRow]:
    """Those that match, the highest score first, then the newest."""
    rows = [found for one in candidates if _matches(found := row(one, now), query)]
    return sorted(rows, key=lambda one: (-one.score, -one.created_at.timestamp(), one.id))


def _matches(one: LeadRow, query: LeadQuery) -> bool:
    words, owner = query.search.strip().casefold(), str(one.owner.id) if one.owner else UNOWNED
    return (
        query.outcome in {None, one.outcome}
        and query.owner in {"", owner}
        and one.score >= query.least
        and any(words in text.casefold() for text in (one.company, one.email, one.slug))
    )


def calibration(candidates: Iterable[Candidate], now: datetime) -> Calibration:
    """By band, how many of the trials whose outcome is known have paid."""
    of: Counter[int] = Counter()
    paid: Counter[int] = Counter()
    for one in candidates:
        if one.prospect.outcome_is_known(now):
            early = score(one.signs, _calibrated_at(one.prospect))
            (least,) = (low for low, high in BANDS if low <= early <= high)
            of[least] += 1
            paid[least] += one.prospect.paid_at is not None
    return Calibration(
        bands=tuple(_band(least, most, paid[least], of[least]) for least, most in BANDS),
        goal=GOAL,
        days=CALIBRATED_AFTER.days,
        least_outcomes=LEAST_OUTCOMES,
    )


def _calibrated_at(prospect: Prospect) -> datetime:
    """A week after the signup, or a day before the payment: what is done on the way to it foretells nothing."""
    later = prospect.created_at + CALIBRATED_AFTER
    if prospect.paid_at is None:
        return later
    return max(prospect.created_at, min(later, prospect.paid_at - timedelta(days=1)))


def _band(least: int, most: int, paid: int, of: int) -> BandView:
    found = rate(paid, of)
    said = verdict(found, GOAL) if of >= LEAST_OUTCOMES else Verdict.TOO_EARLY
    return BandView(least=least, most=most, paid=found, verdict=said)


def next_in_turn(members: Iterable[UUID], last: Mapping[UUID, datetime]) -> UUID | None:
    """Who has waited longest for a lead; who had none yet comes first. None: there is nobody."""
    return min(members, key=lambda one: (last[one].timestamp() if one in last else 0.0, one.int), default=None)
