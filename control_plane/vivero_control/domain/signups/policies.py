"""What a signup may say, and how far it is: decisions, no I/O."""

import hashlib
import re
import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Final

from vivero_core.model import naming
from vivero_web.errors import FieldError, InvalidInputError

from vivero_control.domain.signups.schemas import StartSignup
from vivero_control.lib.common_passwords import is_common

COMPANY_MAX: Final = 80
PASSWORD_MIN: Final = 10
PASSWORD_MAX: Final = 128
MARKS_MAX: Final = 3  # accents stacked on one letter; Vietnamese needs two, "zalgo" text dozens
LOGIN_FOR: Final = timedelta(days=1)
"""A ready signup offers its one-time login this long; later the owner uses the password."""

# Control, formatting (bidirectional overrides, zero-width), private, unassigned, separators of lines:
# what makes a name look like another, or breaks the line it stands in. The CRD refuses them as well.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def tidy_company(name: str) -> str:
    """One spelling (NFC), no space around it, single spaces in it."""
    return re.sub(r" +", " ", unicodedata.normalize("NFC", name)).strip()


def company_problem(name: str) -> str | None:
    """Why a tidied company name cannot be used; letters of any script, quotes and emoji can."""
    if not name:
        return "Enter the name of your company."
    if len(name) > COMPANY_MAX:
        return f"Use at most {COMPANY_MAX} characters."
    if any(unicodedata.category(char) in _INVISIBLE for char in name):
        return "Leave out control characters and invisible formatting characters."
    if not any(char.isalnum() for char in name):
        return "Use at least one letter or digit."
    if _stacked_marks(name) > MARKS_MAX:
        return "Leave out the stacked accents."
    return None


def _stacked_marks(text: str) -> int:
    longest = run = 0
    for char in unicodedata.normalize("NFD", text):
        run = run + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        longest = max(longest, run)
    return longest


def email_problem(email: str) -> str | None:
    if not email:
        return "Enter your e-mail address."
    local = email.partition("@")[0]
    well_formed = len(email) <= naming.EMAIL_MAX_LENGTH and re.fullmatch(naming.EMAIL_PATTERN.strip("^$"), email)
    if not well_formed or local.startswith(".") or local.endswith(".") or ".." in local:
        return "Enter an e-mail address such as name@example.com."
    return None


def password_problem(password: str, *, email: str, company: str) -> str | None:
    if len(password) < PASSWORD_MIN:
        return f"Use at least {PASSWORD_MIN} characters."
    if len(password) > PASSWORD_MAX:
        return f"Use at most {PASSWORD_MAX} characters."
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in password):
        return "Leave out control characters."
    if is_common(password, known=(email.partition("@")[0], company)):
        return "This password is too easy to guess; a few unrelated words are better."
    return None


def check(order: StartSignup) -> list[FieldError]:
    """Every field that breaks a rule, all at once; `company` and `email` are tidied first."""
    company, email = tidy_company(order.company), order.email.strip()
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
