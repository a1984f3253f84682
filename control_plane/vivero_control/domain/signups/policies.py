"""What a signup may say, and what is wrong with it: decisions and errors, no I/O."""

import secrets
from datetime import timedelta
from typing import Final

from vivero_core.model import naming
from vivero_web.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from vivero_web.text import company_problem, email_problem, password_problem, tidy

from vivero_control.domain.signups.schemas import StartSignup

TRIALS_MAX: Final = 3
"""Trials that one mailbox may start within TRIALS_WITHIN; who needs a fourth is no prospect any more."""
TRIALS_WITHIN: Final = timedelta(days=365)
UNMADE: Final = "Your workspace could not be made. A mail to the address you gave says why."
"""Nothing about whose address it is: anybody may have typed it."""
_DOTLESS: Final = frozenset({"gmail.com"})
"""Providers that deliver `a.b@` and `ab@` to the same person."""
_SAME_PROVIDER: Final = {"googlemail.com": "gmail.com"}


class SlugTakenError(ConflictError):
    """Somebody has this address."""

    slug = "address-taken"
    title = "Address taken"

    def __init__(self, slug: str) -> None:
        sentence = f"The address “{slug}” is taken; choose another."
        super().__init__(sentence, errors=[FieldError("slug", sentence)])


class SignupNotFoundError(NotFoundError):
    """No signup has this id."""

    def __init__(self) -> None:
        super().__init__("There is no such signup.")


def check(request: StartSignup) -> list[FieldError]:
    """Every field that breaks a rule, all at once; `company` and `email` are tidied first."""
    company, email = tidy(request.company), request.email.strip()
    problems = {
        "company": company_problem(company),
        "email": email_problem(email),
        "password": password_problem(request.password, email=email, company=company),
        "slug": naming.slug_problem(request.slug) if request.slug is not None else None,
    }
    return [FieldError(field, problem) for field, problem in problems.items() if problem]


_FIELD_OF_SPEC: Final = {"displayName": "company", "owner.email": "email", "slug": "slug", "plan": "plan"}


def with_signup_fields(refusal: InvalidInputError) -> InvalidInputError:
    """The API server's refusal of a Tenant, with the signup's field names instead of the spec's."""
    errors = [FieldError(_FIELD_OF_SPEC.get(one.field, one.field), one.message) for one in refusal.errors]
    return InvalidInputError(refusal.detail, errors=errors)


def with_suffix(slug: str) -> str:
    """An alternative to a taken slug: four random characters that do not look alike, of 330,000 combinations."""
    suffix = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4))
    return f"{slug[: naming.SLUG_MAX_LENGTH - 5].rstrip('-')}-{suffix}"


def mailbox(email: str) -> str:
    """One key for all spellings of an address that are widely known to reach one mailbox (ADR 0028).

    Case never distinguishes two people in practice, and with all large providers what follows a `+` is the owner's own
    tag. Where an unusual provider does give a tag to another person, the two share a limit and nothing else.
    """
    local, _, domain = email.lower().rpartition("@")
    domain = _SAME_PROVIDER.get(domain, domain)
    plain = local.partition("+")[0] or local
    if domain in _DOTLESS:
        plain = plain.replace(".", "") or plain
    return f"{plain}@{domain}"
