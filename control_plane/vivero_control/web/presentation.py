"""Presentation of states: labels, colours and icons. Pure; the time is passed in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import quote, urldefrag, urlsplit

from msgspec import UNSET, Struct
from vivero_core.model.constants import ConditionType, SuspensionReason
from vivero_ui.filters import bytes_, duration, euro, number, with_query

from vivero_control.domain.audit.service import AuditEntry
from vivero_control.domain.plans.selling_points import FEATURES
from vivero_control.domain.plans.service import PlanView
from vivero_control.domain.signups.schemas import SignupView
from vivero_control.domain.tenants.policies import LONGEST_EXTENSION
from vivero_control.domain.tenants.schemas import TRIAL_SOON, ConditionView, Page, TenantRow, TenantState

Kind = Literal["success", "info", "warning", "error", "neutral"]

EXTENSION: Final = timedelta(days=14)
"""What the extension dialog proposes."""
DEFAULT_TRIAL_DAYS: Final = 30
"""Said while the price list cannot be read."""


class StatusLabel(Struct, frozen=True):
    """A state in words and its colour."""

    words: str
    kind: Kind


STATES: Final = {
    TenantState.STARTING: StatusLabel("Starting", "info"),
    TenantState.READY: StatusLabel("Ready", "success"),
    TenantState.SUSPENDED: StatusLabel("Suspended", "warning"),
    TenantState.DELETING: StatusLabel("Deleting", "neutral"),
    TenantState.STANDBY: StatusLabel("Spare", "neutral"),
    TenantState.UNREADABLE: StatusLabel("Unreadable", "error"),
}
REASONS: Final = {
    SuspensionReason.TRIAL_ENDED: "Trial ended",
    SuspensionReason.UNPAID: "Unpaid",
    SuspensionReason.SUBSCRIPTION_PAUSED: "Subscription paused",
    SuspensionReason.ABUSE: "Abuse",
    SuspensionReason.MANUAL: "By hand",
}
_STEP_STATES: Final = {"waiting": "wait", "running": "now", "done": "done", "failed": "failed"}


def progress_heading(signup: SignupView) -> str:
    """What the progress page is called: how the whole stands."""
    if signup.state == "provisioning":
        return "This takes longer than usual" if signup.waiting else "Building your workspace"
    if signup.state == "failed":
        return "Your workspace could not be built"
    return "Your workspace is closed at the moment" if is_closed(signup) else "Your workspace is ready"


def is_closed(signup: SignupView) -> bool:
    """Whether it was made and is suspended now: then nothing proves that it can be used."""
    return signup.state == "ready" and any(step.state != "done" for step in signup.steps)


class StepLine(Struct, frozen=True):
    """One step of the progress page, as the kit's `steps` macro takes it."""

    name: str
    state: str
    detail: str
    took: str


def progress(signup: SignupView) -> list[StepLine]:
    """The steps with the seconds from the signup to their end, as the conditions say."""
    return [
        StepLine(
            name=step.label,
            state=_STEP_STATES[step.state],
            detail=step.message,
            took=_took(signup.created_at, step.finished_at),
        )
        for step in signup.steps
    ]


def _took(begin: datetime, end: datetime | None) -> str:
    """As exact as the cluster is: it keeps whole seconds, so a shorter time is only said to be one."""
    if end is None:
        return ""
    seconds = (end - begin).total_seconds()
    return duration(int(seconds)) if seconds >= 1 else "under 1 s"


class TenantLine(Struct, frozen=True, kw_only=True):
    """A tenant with the words for it."""

    row: TenantRow
    status: StatusLabel
    plan: str
    trial_soon: bool
    reason_words: str
    extend_to: str


def tenant_line(row: TenantRow, plans: Sequence[PlanView], now: datetime) -> TenantLine:
    names = {plan.name: plan.display_name for plan in plans}
    ends = row.trial_ends_at
    return TenantLine(
        row=row,
        status=STATES[row.state],
        plan=names.get(row.plan, row.plan),
        trial_soon=ends is not None and ends - now < TRIAL_SOON,
        reason_words=REASONS[row.suspended_reason] if row.suspended_reason else "",
        extend_to=proposed_end(ends or now, now).date().isoformat(),
    )


_NO_GOOD_NEWS: Final = frozenset({ConditionType.SUSPENDED, ConditionType.PAUSED, ConditionType.DEGRADED})
"""Conditions that are good news when they are not true."""


def proposed_end(ends: datetime, now: datetime) -> datetime:
    """A longer trial, within the longest extension: a Tenant made by hand can have any year."""
    return min(max(ends, now), now + LONGEST_EXTENSION - EXTENSION) + EXTENSION


class ConditionLine(Struct, frozen=True, kw_only=True):
    """One condition of the timeline."""

    type: str
    reason: str
    message: str
    since: datetime
    kind: Kind
    icon: str


def timeline(conditions: Sequence[ConditionView]) -> list[ConditionLine]:
    """The latest change first."""
    latest_first = sorted(conditions, key=lambda one: one.since, reverse=True)
    return [_condition_line(one) for one in latest_first]


def _condition_line(one: ConditionView) -> ConditionLine:
    if one.type in _NO_GOOD_NEWS:
        kind, icon = ("warning", "circle-pause") if one.status == "True" else ("neutral", "circle-dashed")
    elif one.status == "True":
        kind, icon = "success", "circle-check"
    else:
        kind, icon = "neutral", "circle-dashed"
    return ConditionLine(
        type=one.type, reason=one.reason, message=one.message, since=one.since, kind=_kind(kind), icon=icon
    )


def _kind(kind: str) -> Kind:
    return "success" if kind == "success" else "warning" if kind == "warning" else "neutral"


class HistoryLine(Struct, frozen=True, kw_only=True):
    """One entry of a tenant's history."""

    words: str
    actor: str
    reason: str
    at: datetime


def history(entries: Sequence[AuditEntry]) -> list[HistoryLine]:
    return [
        HistoryLine(
            words=_sentence(entry.action) + ("" if entry.outcome == "done" else f" ({entry.outcome})"),
            actor=entry.actor,
            reason=entry.reason,
            at=entry.at,
        )
        for entry in entries
    ]


class AuditLine(Struct, frozen=True, kw_only=True):
    """One entry of the audit log, for a table."""

    words: str
    subject: str
    href: str
    """Of what it was done to, if that has a page."""
    said: tuple[tuple[str, str], ...]
    """What else is known, as label and text."""
    done: bool
    entry: AuditEntry


_SUBJECT_PAGES: Final = {"tenant": "/staff/tenants/", "staff": "/staff/people/"}


def audit_lines(entries: Sequence[AuditEntry]) -> list[AuditLine]:
    return [_audit_line(entry) for entry in entries]


def _audit_line(entry: AuditEntry) -> AuditLine:
    kind, _, name = entry.subject.partition("/")
    page = _SUBJECT_PAGES.get(kind)
    return AuditLine(
        words=_sentence(entry.action),
        subject=name or entry.subject,
        href=page + quote(name, safe="") if page and name else "",
        said=tuple(
            (label.replace("_", " "), str(value)) for label, value in entry.detail.items() if value not in ("", None)
        ),
        done=entry.outcome == "done",
        entry=entry,
    )


def _sentence(action: str) -> str:
    """`change-plan` → `Change plan`."""
    return action.replace("-", " ").capitalize()


def compare(plans: Sequence[PlanView], *, supported: bool) -> list[tuple[str, Sequence[str | bool]]]:
    """The rows of the price list's table; a truth value is shown as a tick or as “No”.

    Support is promised only if it is `supported`: if there is an address where somebody reads.
    """
    features = dict.fromkeys(feature for plan in plans for feature in plan.features)
    return [
        ("Price a month", [("from " if plan.starting_at else "") + euro(plan.price_cents) for plan in plans]),
        ("Records", [number(plan.limits.records) for plan in plans]),
        ("Users", [number(plan.limits.users) for plan in plans]),
        ("Files", [bytes_(plan.limits.storage_bytes) for plan in plans]),
        ("API requests a minute", [number(plan.limits.requests_per_minute) for plan in plans]),
        *((FEATURES[one].title, [one in plan.features for plan in plans]) for one in features),
        *([("Support", [plan.support for plan in plans])] if supported else []),
    ]


def trial_days(plans: Sequence[PlanView]) -> int:
    return next((plan.trial_days for plan in plans if plan.trial_days), DEFAULT_TRIAL_DAYS)


class TicketForm(Struct, frozen=True):
    """The form with the login ticket of a new workspace."""

    action: str
    ticket: str


def ticket_form(signup: SignupView) -> TicketForm | None:
    """None without a ticket: not the owner, not ready, or too late."""
    if signup.login_url is UNSET:
        return None
    action, ticket = urldefrag(signup.login_url)
    return TicketForm(action, ticket)


def origin(url: str) -> str:
    """The part of an address that a content security policy names."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """The host and port of an address, for eyes."""
    return urlsplit(url).netloc or url


def web_url(url: str) -> str:
    """The address if it is one that a browser may follow, else nothing: a link must not run a script."""
    return url if urlsplit(url).scheme in {"https", "http"} else ""


def pager(page: Page[Any], at: int, address: str) -> dict[str, str]:
    """The summary and the addresses of the neighbours, as the kit's `pager` takes them."""
    first, last = page.offset + 1, page.offset + len(page.items)
    return {
        "counted": f"{number(first)}\N{EN DASH}{number(last)} of {number(page.total)}"
        if page.items
        else f"{number(page.total)}",
        "prev_href": with_query(address, {"page": at - 1 if at > 2 else None}) if at > 1 else "",  # noqa: PLR2004  page 1 needs no parameter
        "next_href": with_query(address, {"page": at + 1}) if last < page.total else "",
    }
