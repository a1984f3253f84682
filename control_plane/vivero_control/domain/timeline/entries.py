"""What each source's rows are in a timeline: words, state and place. No I/O of its own."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from vivero_core.model.conditions import Condition

from vivero_control.db.tables import AuditRecord, BillingInvoice, OutboxEntry, Signup, SignupJourney
from vivero_control.domain.backups.schemas import BackupView, RestoreView
from vivero_control.domain.billing import jobs as billing_jobs
from vivero_control.domain.leads.policies import POINTS
from vivero_control.domain.leads.schemas import Sign
from vivero_control.domain.notifications import mails
from vivero_control.domain.signups import links as signup_links
from vivero_control.domain.timeline.policies import Entry, Source
from vivero_control.domain.timeline.schemas import Kind, TimelineItem
from vivero_control.jobs.kinds import JobKind
from vivero_control.jobs.repository import DEAD, DONE

MAILS: Final = frozenset({mails.KIND, signup_links.LINK})
"""Kinds of jobs that send one, of those that are about a tenant."""
WEBHOOKS: Final = frozenset({billing_jobs.APPLY})
"""Kinds of jobs that a message of the payment provider began."""
_STATES: Final = {DONE: "done", DEAD: "failed"}


def act(row: AuditRecord) -> Entry:
    """An outcome such as `failed: KubeUnavailableError` is a state, and what else is known."""
    state, _, why = row.outcome.partition(": ")
    detail = "; ".join(
        f"{name.replace('_', ' ')}: {value}" for name, value in row.detail.items() if value not in ("", None)
    )
    item = TimelineItem(
        at=row.at,
        kind=Kind.ACT,
        what=row.action.replace("-", " ").capitalize(),
        state=state,
        detail=" · ".join(part for part in (row.reason, detail, why) if part),
        actor=row.actor,
    )
    return Entry(Source.AUDIT, str(row.id), item)


def job(row: OutboxEntry, kind: JobKind) -> Entry:
    """A mail that was sent is told by its key: what it said is not kept."""
    told = kind.describe(row.payload or {})
    is_mail, waits = row.kind in MAILS, row.state not in _STATES
    what = _mail_words(row.key) if row.kind == mails.KIND and not row.payload else told.what
    state = "queued" if waits else "sent" if is_mail and row.state == DONE else _STATES[row.state]
    tries = f"{row.attempts} attempts" if row.attempts > 1 else ""
    item = TimelineItem(
        at=row.created_at,
        kind=Kind.MAIL if is_mail else Kind.WEBHOOK if row.kind in WEBHOOKS else Kind.JOB,
        what=what,
        state=state,
        detail=" · ".join(part for part in (told.recipient, tries, row.last_error) if part),
        next_attempt_at=row.due_at if waits else None,
    )
    return Entry(Source.OUTBOX, str(row.id), item)


def _mail_words(key: str) -> str:
    """`mail.trial-ending-7:…` → `Mail: trial ending 7`."""
    return f"Mail: {key.partition(':')[0].removeprefix('mail.').replace('-', ' ')}"


def invoice(row: BillingInvoice) -> Entry:
    amount = f"{row.total_cents / 100:,.2f} {row.currency.upper()}"
    item = TimelineItem(
        at=row.created_at,
        kind=Kind.INVOICE,
        what=f"Invoice {row.number or row.id} over {amount}",
        state=row.status,
        detail=f"{row.paid_cents / 100:,.2f} {row.currency.upper()} paid" if row.paid_cents else "",
    )
    return Entry(Source.INVOICES, row.id, item)


def operations(found: Iterable[BackupView | RestoreView]) -> list[Entry]:
    return [_operation(one, one.created_at) for one in found if one.created_at is not None]


def _operation(one: BackupView | RestoreView, at: datetime) -> Entry:
    what = "Restore" if isinstance(one, RestoreView) else "Scheduled backup" if one.scheduled else "Backup"
    item = TimelineItem(at=at, kind=Kind.BACKUP, what=f"{what} {one.name}", state=one.state.value, detail=one.message)
    return Entry(Source.BACKUPS, f"{what} {one.name}", item)


def condition(one: Condition) -> Entry:
    item = TimelineItem(
        at=one.last_transition_time.replace(microsecond=0),
        kind=Kind.STATE,
        what=f"{one.type} is {one.status}",
        state=one.reason,
        detail=one.message,
    )
    return Entry(Source.CONDITIONS, one.type, item)


def progress(signup: Signup, journey: SignupJourney, signs: Mapping[Sign, datetime]) -> list[Entry]:
    """How far its signup has come, and what was seen of its use."""
    steps = {
        "Signed up": signup.created_at,
        "Confirmed the address": signup.confirmed_at,
        "The workspace worked": journey.provisioned_at,
        "First record": journey.first_value_at,
        "In use by several people": journey.active_at,
        **{POINTS[sign][1]: at for sign, at in signs.items()},
    }
    return [
        Entry(Source.JOURNEY, words, TimelineItem(at=at, kind=Kind.PROGRESS, what=words, state="seen"))
        for words, at in steps.items()
        if at is not None
    ]


def in_order(found: Iterable[Entry]) -> list[Entry]:
    """Rows with numbers, of several subjects, the newest first."""
    return sorted(found, key=lambda one: (one.item.at, int(one.ident)), reverse=True)
