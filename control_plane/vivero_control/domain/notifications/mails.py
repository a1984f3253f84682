"""The mails: what each says, to whom, and the key that makes it go out once."""

from datetime import datetime
from pathlib import Path
from typing import Final

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


def _mail(template: str, *, key: str, to: str, subject: str, **values: str) -> Mail:
    text = _templates.get_template(f"{template}.txt.j2").render(**values)
    return Mail(key=key, to=to, subject=subject, text=text)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def welcome_key(signup_id: str) -> str:
    return f"mail.welcome:{signup_id}"


def welcome(signup_id: str, *, to: str, company: str, url: str) -> Mail:
    """Right after signup: where the workspace is."""
    return _mail(
        "welcome",
        key=welcome_key(signup_id),
        to=to,
        subject="Your Vivero workspace",
        company=company,
        url=url,
        email=to,
    )


def trial_ending(  # noqa: PLR0913  the words of the mail
    uid: str, *, ends_at: datetime, days: int, to: str, company: str, url: str
) -> Mail:
    """Some days before a trial ends; one mail for each end and each number of days."""
    return _mail(
        "trial_ending",
        key=f"mail.trial-ending-{days}:{uid}:{ends_at:%Y%m%dT%H%M%SZ}",
        to=to,
        subject=f"Your Vivero trial ends in {days} days" if days > 1 else "Your Vivero trial ends tomorrow",
        company=company,
        url=url,
        day=_day(ends_at),
    )


def trial_ended_key(uid: str, ends_at: datetime) -> str:
    return f"mail.trial-ended:{uid}:{ends_at:%Y%m%dT%H%M%SZ}"


def trial_ended(uid: str, *, ends_at: datetime, to: str, company: str, url: str) -> Mail:
    """When a trial is over, before its workspace is suspended."""
    return _mail(
        "trial_ended",
        key=trial_ended_key(uid, ends_at),
        to=to,
        subject="Your Vivero trial has ended",
        company=company,
        url=url,
        day=_day(ends_at),
    )
