"""What a signup may say, and what is wrong with it: decisions and errors, no I/O."""

import secrets
from datetime import timedelta
from typing import Final

from vivero_core.model import naming
from vivero_web.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from vivero_web.text import company_problem, email_problem, password_problem, tidy

from vivero_control.domain.signups.people import is_disposable
from vivero_control.domain.signups.schemas import StartSignup

TRIALS_MAX: Final = 3
"""Trials that one mailbox may start within TRIALS_WITHIN; who needs a fourth is no prospect any more."""
TRIALS_WITHIN: Final = timedelta(days=365)
UNMADE: Final = "Your workspace could not be made. A mail to the address you gave says why."
"""Nothing about whose address it is: anybody may have typed it."""
DISPOSABLE: Final = "Addresses of this provider expire; use one that stays yours."
LINK_VALID_FOR: Final = timedelta(days=3)
"""How long a link that confirms an address is good; each mail brings another one."""
REMINDERS: Final = (timedelta(days=2), timedelta(days=5))
"""So long after a signup whose address is not confirmed, its owner is mailed again."""


class SlugTakenError(ConflictError):
    """Somebody has this address."""

    slug = "address-taken"
    title = "Address taken"

    def __init__(self, slug: str) -> None:
        sentence = f"The address “{slug}” is taken; choose another."
        super().__init__(sentence, errors=[FieldError("slug", sentence)])


class TriedBeforeError(ConflictError):
    """The person has had a trial, confirmed under another signup; only who reads their mail gets to see this."""

    slug = "tried-before"
    title = "You have tried Vivero already"

    def __init__(self) -> None:
        super().__init__(
            "Another workspace was confirmed with this address before, and one can be tried. A mail to the address says "
            "where it is."
        )


class SignupNotFoundError(NotFoundError):
    """No signup has this id."""

    def __init__(self) -> None:
        super().__init__("There is no such signup.")


def check(request: StartSignup) -> list[FieldError]:
    """Every field that breaks a rule, all at once; `company` and `email` are tidied first."""
    company, email = tidy(request.company), request.email.strip()
    problems = {
        "company": company_problem(company),
        "email": email_problem(email) or (DISPOSABLE if is_disposable(email) else None),
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
