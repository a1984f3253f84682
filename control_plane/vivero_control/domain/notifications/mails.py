"""The mails: what each says, to whom, the key that makes it idempotent, and the job that sends it.

They go to addresses that nobody has confirmed, so none contains text of whoever signed up. The address of the workspace
is one exception: letters, digits and hyphens below our own domain. Mails about quotes, contracts and their invoices are
another: they go to addresses that staff have typed, and to staff.
"""

import ssl
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.mail import Attachment, Mail, MailRefusedError, MailServer, send

from vivero_control.domain.signups.people import is_probe
from vivero_control.jobs.kinds import GiveUpError, JobDescription, JobKind, Payload
from vivero_control.jobs.repository import OutboxRepository

KIND: Final = "mail.send"

# Plain text, so nothing is escaped; a header cannot be broken out of, EmailMessage refuses line ends.
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701  text, not HTML
    trim_blocks=True,
    keep_trailing_newline=True,
)


def _mail(template: str, *, key: str, to: str, subject: str, **values: object) -> Mail:
    text = _templates.get_template(f"{template}.txt.j2").render(**values)
    return Mail(key=key, to=to, subject=subject, text=text)


def day(moment: date) -> str:
    """Such as 3 January 2027."""
    return f"{moment.day} {moment:%B %Y}"


def welcome(key: str, *, to: str, url: str, link: str) -> Mail:
    """Right after signup: where the workspace is, and the link that confirms the address."""
    return _mail("welcome", key=key, to=to, subject="Your Vivero workspace", url=url, link=link)


def confirm_address(key: str, *, to: str, url: str, link: str) -> Mail:
    """As a reminder: another link that confirms the address; the workspace is at `url`."""
    return _mail(
        "confirm_address", key=key, to=to, subject="Confirm your e-mail address for Vivero", url=url, link=link
    )


def tried_before(signup_id: str, *, to: str, url: str | None) -> Mail:
    """In place of that link, for a person who has had a trial; `url` is where it is, None once it is gone."""
    return _mail("tried_before", key=f"mail.tried-before:{signup_id}", to=to, subject="Your Vivero workspace", url=url)


def asks_to_join(signup_id: str, *, to: str, colleague: str, link: str) -> Mail:
    """To the owner of a company's workspace: a colleague, whose address is confirmed, asks for an invitation."""
    return _mail(
        "asks_to_join",
        key=f"mail.asks-to-join:{signup_id}",
        to=to,
        subject="A colleague asks to join your Vivero workspace",
        colleague=colleague,
        link=link,
    )


def unconfirmed_key(uid: str) -> str:
    return f"mail.unconfirmed:{uid}"


def unconfirmed(uid: str, *, to: str, url: str, confirm_url: str) -> Mail:
    """When a trial is closed because its owner has not confirmed the address, before it is suspended."""
    return _mail(
        "unconfirmed",
        key=unconfirmed_key(uid),
        to=to,
        subject="Your Vivero workspace is closed",
        url=url,
        confirm_url=confirm_url,
    )


def enough_trials(account_id: UUID, now: datetime, *, to: str, urls: Sequence[str]) -> Mail:
    """In place of one workspace more than a mailbox may try; one mail a day, however often it is asked for."""
    return _mail(
        "enough_trials",
        key=f"mail.enough-trials:{account_id}:{now:%Y%m%d}",
        to=to,
        subject="Your Vivero workspaces",
        urls=urls,
    )


def your_workspaces(request: UUID, *, to: str, urls: Sequence[str]) -> Mail:
    """Where the workspaces are that belong to this address; `request` is one asking for them."""
    return _mail(
        "your_workspaces", key=f"mail.workspaces:{request}", to=to, subject="Your Vivero workspaces", urls=urls
    )


def signup_failed(signup_id: str, *, to: str, url: str, why: str, signup_url: str) -> Mail:
    """When provisioning is given up: why there will be no workspace at `url`, and what to do."""
    return _mail(
        "signup_failed",
        key=f"mail.signup-failed:{signup_id}",
        to=to,
        subject="Your Vivero workspace could not be made",
        url=url,
        why=why,
        signup_url=signup_url,
    )


class WayOn(msgspec.Struct, frozen=True, kw_only=True):
    """How a trial goes on.

    Attributes:
        account_url: where a plan is bought; empty where none is sold.
        answered: whether somebody reads what is sent back.
    """

    account_url: str = ""
    answered: bool = False


def trial_ending(  # noqa: PLR0913  the words of the mail
    uid: str, *, ends_at: datetime, days: int, to: str, url: str, way: WayOn
) -> Mail:
    """Some days before a trial ends; one mail for each end and each number of days."""
    return _mail(
        "trial_ending",
        key=f"mail.trial-ending-{days}:{uid}:{ends_at:%Y%m%dT%H%M%SZ}",
        to=to,
        subject=f"Your Vivero trial ends in {days} days" if days > 1 else "Your Vivero trial ends tomorrow",
        url=url,
        day=day(ends_at),
        way=way,
    )


def trial_ended_key(uid: str, ends_at: datetime) -> str:
    return f"mail.trial-ended:{uid}:{ends_at:%Y%m%dT%H%M%SZ}"


def trial_ended(uid: str, *, ends_at: datetime, to: str, url: str, way: WayOn) -> Mail:
    """When a trial is over, before its workspace is suspended."""
    return _mail(
        "trial_ended",
        key=trial_ended_key(uid, ends_at),
        to=to,
        subject="Your Vivero trial has ended",
        url=url,
        day=day(ends_at),
        way=way,
    )


_OF_SUBSCRIPTION: Final = {
    "started": "Your Vivero plan has started",
    "payment-failed": "Your payment for Vivero failed",
    "resumed": "Your payment for Vivero has arrived",
    "pause-planned": "Your Vivero plan will be paused",
    "pause-taken-back": "Your Vivero plan is not paused",
    "paused": "Your Vivero plan is paused",
    "unpaused": "Your Vivero plan goes on",
    "ended": "Your Vivero subscription has ended",
}


class PauseDays(msgspec.Struct, frozen=True):
    """The days on which a pause begins and ends, in words; empty without one."""

    begins: str = ""
    ends: str = ""


def of_subscription(  # noqa: PLR0913  the words of the mail
    what: str, *, key: str, to: str, url: str, account_url: str, pause: PauseDays
) -> Mail:
    """What became of a subscription; `key` names it and its period, `account_url` is where its plan is managed."""
    return _mail(
        f"subscription_{what.replace('-', '_')}",
        key=f"mail.subscription-{what}:{key}",
        to=to,
        subject=_OF_SUBSCRIPTION[what],
        url=url,
        account_url=account_url,
        pause=pause,
    )


def account_link(key: str, *, to: str, link: str) -> Mail:
    """The one-time link to the pages of an account."""
    return _mail("account_link", key=key, to=to, subject="Manage your Vivero workspace", link=link)


def manager_named(  # noqa: PLR0913  the words of the mail
    key: str, *, to: str, manager: str, by: str, url: str, account_url: str
) -> Mail:
    """That somebody may manage the workspace at `url` from now on, to that person or to its owner."""
    return _mail(
        "manager_named",
        key=f"mail.manager-named:{key}",
        to=to,
        subject="You can manage a Vivero workspace" if to == manager else "Somebody can manage your Vivero workspace",
        manager="" if to == manager else manager,
        by=by,
        url=url,
        account_url=account_url,
    )


def manager_removed(key: str, *, to: str, manager: str, by: str, url: str) -> Mail:
    """That somebody may not any more, to that person or to the owner."""
    return _mail(
        "manager_removed",
        key=f"mail.manager-removed:{key}",
        to=to,
        subject="You manage a Vivero workspace no more"
        if to == manager
        else "A manager of your Vivero workspace is gone",
        manager="" if to == manager else manager,
        by=by,
        url=url,
    )


def support_entered(  # noqa: PLR0913  the words of the mail
    key: str, *, to: str, staff: str, until: datetime, url: str, account_url: str
) -> Mail:
    """To the owner: one of the staff has entered the workspace, as was granted."""
    return _mail(
        "support_entered",
        key=f"mail.support-entered:{key}",
        to=to,
        subject="Support has entered your Vivero workspace",
        staff=staff,
        until=f"{until:%H:%M} UTC on {day(until)}",
        url=url,
        account_url=account_url,
    )


def workspace_deleted(key: str, *, to: str, url: str, days: int | None, account_url: str) -> Mail:
    """To the owner: it is deleted, and can be brought back for so many days; None: it is back."""
    return _mail(
        "workspace_back" if days is None else "workspace_deleted",
        key=f"mail.workspace-deleted:{key}",
        to=to,
        subject="Your Vivero workspace is back" if days is None else "Your Vivero workspace is deleted",
        url=url,
        days=days,
        account_url=account_url,
    )


def lead(  # noqa: PLR0913  the words of the mail
    signup_id: str, threshold: int, *, to: str, slug: str, score: int, reasons: Sequence[str], link: str
) -> Mail:
    """To the person of the staff who looks after a trial: its score has reached a threshold."""
    return _mail(
        "lead",
        key=f"mail.lead:{signup_id}:{threshold}",
        to=to,
        subject=f"A trial has {score} points: {slug}",
        slug=slug,
        score=score,
        reasons=reasons,
        link=link,
    )


def webhook_off(key: str, *, to: str, url: str, page: str) -> Mail:
    """To who made a webhook: it was switched off after days of failures; `page` is where it is switched on again."""
    return _mail("webhook_off", key=f"mail.webhook-off:{key}", to=to, subject="A webhook is off", url=url, page=page)


_OF_CONTRACT: Final = {
    "quote_sent": "Quote {number} from Vivero",
    "quote_accepted": "Quote {number} is accepted",
    "quote_declined": "Quote {number} was declined",
    "contract_ending": "Contract {number} ends on {ends}",
    "invoice_issued": "Invoice {number}",
    "invoice_reminder": "Invoice {number} was to be paid by {due}",
    "invoice_taken_back": "Credit note {number} for invoice {corrects}",
    "invoice_late": "Invoice {number} is not paid",
}


def of_contract(what: str, key: str, *, to: str, number: int | str, **values: str) -> Mail:
    """What became of a quote, a contract or an invoice, by its `number`; `key` tells this mail from others of its kind."""
    subject = _OF_CONTRACT[what].format(number=number, **values)
    return _mail(what, key=f"mail.{what}:{key}", to=to, subject=subject, number=number, **values)


async def enqueue(session: AsyncSession, mail: Mail, now: datetime, subject: str | None = None) -> None:
    """Send it with the job that this transaction commits, unless it is to a synthetic probe; `subject` as in OutboxEntry."""
    if is_probe(mail.to):
        return
    await OutboxRepository(session).enqueue(
        kind=KIND, key=mail.key, payload=mail.payload(), now=now, due_at=now, subject=subject
    )


class MailSender(JobKind):
    """Mails as a job."""

    def __init__(self, server: MailServer, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(f"Mail “{payload.get('subject', '')}”", str(payload.get("to", "")))

    async def perform(self, payload: Payload) -> None:
        """Hand it over.

        Raises:
            GiveUpError: the server refuses this mail for good.
            MailServerUnavailableError: try again later.
        """
        await self.send(msgspec.convert(payload, Mail))

    async def send(self, mail: Mail, attachments: Sequence[Attachment] = ()) -> None:
        """As `perform`, for a mail that is not kept: it holds a secret, or a document that stands elsewhere."""
        try:
            await send(mail, self._server, self._tls, attachments)
        except MailRefusedError as error:
            raise GiveUpError(str(error)) from error
