"""What a signup may say, and how far it is: decisions, no I/O."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from vivero_core.model import naming
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import company_problem, email_problem, password_problem, tidy

from vivero_control.domain.signups.schemas import StartSignup

LOGIN_FOR: Final = timedelta(days=1)
"""A ready signup offers its one-time login this long; later the owner uses the password."""
TRIALS_MAX: Final = 3
"""Workspaces that one mailbox may try within TRIALS_WITHIN; who needs a fourth is no prospect any more."""
TRIALS_WITHIN: Final = timedelta(days=365)
UNMADE: Final = "Your workspace could not be made. A mail to the address you gave says why."
"""Nothing about whose address it is: anybody may have typed it."""


def check(order: StartSignup) -> list[FieldError]:
    """Every field that breaks a rule, all at once; `company` and `email` are tidied first."""
    company, email = tidy(order.company), order.email.strip()
    problems = {
        "company": company_problem(company),
        "email": email_problem(email),
        "password": password_problem(order.password, email=email, company=company),
        "slug": naming.slug_problem(order.slug) if order.slug is not None else None,
    }
    return [FieldError(field, problem) for field, problem in problems.items() if problem]


_ASKED_AS: Final = {"displayName": "company", "owner.email": "email", "slug": "slug", "plan": "plan"}


def named_as_asked(refusal: InvalidInputError) -> InvalidInputError:
    """The cluster's refusal of a Tenant, by the fields of the signup it came from."""
    errors = [FieldError(_ASKED_AS.get(one.field, one.field), one.message) for one in refusal.errors]
    return InvalidInputError(refusal.detail, errors=errors)


def new_id() -> str:
    """128 random bits in hex."""
    return secrets.token_hex(16)


def _digest(purpose: str, signup_id: str) -> str:
    return hashlib.sha256(f"{purpose}:{signup_id}".encode()).hexdigest()[:32]


def secret_name(signup_id: str) -> str:
    """Name of the Secret with the password's hash; it stands in the Tenant and must not tell the id."""
    return f"signup-{_digest('secret', signup_id)}"


def ticket_id(signup_id: str) -> str:
    """The ticket's jti: the same for every ticket of a signup, so that the workspace spends only one."""
    return _digest("ticket", signup_id)


def signup_digest(signup_id: str) -> str:
    """What the Tenant of a signup is labelled with, and the audit log names the signup by."""
    return _digest("label", signup_id)


def with_suffix(slug: str) -> str:
    """Another slug like it, when it is taken: four characters that do not look alike, for 330,000 choices."""
    suffix = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4))
    return f"{slug[: naming.SLUG_MAX_LENGTH - 5].rstrip('-')}-{suffix}"


def may_log_in(created_at: datetime, now: datetime) -> bool:
    return now - created_at < LOGIN_FOR
