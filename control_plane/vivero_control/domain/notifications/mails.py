"""The mails: what each says, to whom, and the key that makes it go out once.

They go to addresses that nobody has confirmed, so none has a word that whoever signed up typed. The address of the
workspace is the one exception: letters, digits and hyphens below our own domain.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from vivero_web.mail import Mail

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


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def welcome(signup_id: str, *, to: str, url: str) -> Mail:
    """Right after signup: where the workspace is."""
    return _mail("welcome", key=f"mail.welcome:{signup_id}", to=to, subject="Your Vivero workspace", url=url)


def enough_trials(account_id: UUID, now: datetime, *, to: str, urls: Sequence[str]) -> Mail:
    """In place of one workspace more than a mailbox may try; one mail a day, however often it is asked for."""
    return _mail(
        "enough_trials",
        key=f"mail.enough-trials:{account_id}:{now:%Y%m%d}",
        to=to,
        subject="Your Vivero workspaces",
        urls=urls,
    )


def signup_failed(signup_id: str, *, to: str, url: str, why: str, signup_url: str) -> Mail:
    """When an order is given up: why there will be no workspace at `url`, and what to do."""
    return _mail(
        "signup_failed",
        key=f"mail.signup-failed:{signup_id}",
        to=to,
        subject="Your Vivero workspace could not be made",
        url=url,
        why=why,
        signup_url=signup_url,
    )


def trial_ending(  # noqa: PLR0913  the words of the mail
    uid: str, *, ends_at: datetime, days: int, to: str, url: str, answered: bool
) -> Mail:
    """Some days before a trial ends; one mail for each end and each number of days.

    `answered` says whether somebody reads what is sent back.
    """
    return _mail(
        "trial_ending",
        key=f"mail.trial-ending-{days}:{uid}:{ends_at:%Y%m%dT%H%M%SZ}",
        to=to,
        subject=f"Your Vivero trial ends in {days} days" if days > 1 else "Your Vivero trial ends tomorrow",
        url=url,
        day=_day(ends_at),
        answered=answered,
    )


def trial_ended_key(uid: str, ends_at: datetime) -> str:
    return f"mail.trial-ended:{uid}:{ends_at:%Y%m%dT%H%M%SZ}"


def trial_ended(uid: str, *, ends_at: datetime, to: str, url: str, answered: bool) -> Mail:
    """When a trial is over, before its workspace is suspended; `answered` as above."""
    return _mail(
        "trial_ended",
        key=trial_ended_key(uid, ends_at),
        to=to,
        subject="Your Vivero trial has ended",
        url=url,
        day=_day(ends_at),
        answered=answered,
    )
