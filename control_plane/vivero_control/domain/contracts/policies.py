"""Decisions about quotes and contracts: states, periods, what is wrong with what was typed. No I/O, days passed in."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from msgspec import structs
from vivero_core.model.tenant import Tenant
from vivero_web.errors import FieldError
from vivero_web.text import company_problem, email_problem, name_problem, tidy

from vivero_control.domain.contracts.errors import WrongQuoteStateError
from vivero_control.domain.contracts.schemas import (
    ADDRESS_LINES,
    ADDRESS_MAX,
    LINE_MAX,
    LINES_MAX,
    ORDER_NUMBER_MAX,
    TAX_ID_MAX,
    AgreedLimits,
    ContractState,
    QuoteState,
    QuoteTerms,
)
from vivero_control.domain.contracts.vat import tax_id_problem, tidy_tax_id
from vivero_control.domain.tenants.policies import LIFTED_BY_PAYMENT, Patch
from vivero_control.lib.printing import unprintable

TERMS_VERSION: Final = "2026-11"
"""Of the page of terms, which shows it. A test knows the text that it stands for: another text is another version."""
LONGEST_AHEAD: Final = timedelta(days=731)
"""How far ahead a contract may start, and a quote be good for."""
RENEWAL_NOTICES: Final = (90, 30)
"""Days before the end on which staff are told."""

_MOVES: Final[Mapping[QuoteState, frozenset[QuoteState]]] = {
    QuoteState.DRAFT: frozenset({QuoteState.SENT, QuoteState.WITHDRAWN}),
    QuoteState.SENT: frozenset({QuoteState.SENT, QuoteState.ACCEPTED, QuoteState.DECLINED, QuoteState.WITHDRAWN}),
}
"""A quote that is sent can be sent again: the link of the mail before opens nothing then."""


def state_on(stored: QuoteState, valid_until: date, today: date) -> QuoteState:
    """The state today of a quote that was left in a state; it expires without anything being written."""
    return QuoteState.EXPIRED if stored is QuoteState.SENT and today > valid_until else stored


def check_move(state: QuoteState, to: QuoteState) -> None:
    """Raises WrongQuoteStateError when a quote in this state cannot become that."""
    if to not in _MOVES.get(state, frozenset()):
        raise WrongQuoteStateError(state)


def check_draft(state: QuoteState) -> None:
    """Raises WrongQuoteStateError when what is offered stays as it is."""
    if state is not QuoteState.DRAFT:
        raise WrongQuoteStateError(state)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last one where that is earlier."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def ends_on(terms: QuoteTerms) -> date:
    """The last day."""
    return add_months(terms.starts_on, terms.term_months) - timedelta(days=1)


def periods(terms: QuoteTerms) -> list[tuple[date, date]]:
    """First and last day of what each invoice is for; together they are the term."""
    steps = range(0, terms.term_months, terms.period_months)
    return [
        (add_months(terms.starts_on, step), add_months(terms.starts_on, step + terms.period_months) - timedelta(days=1))
        for step in steps
    ]


def contract_state(starts: date, ends: date, today: date) -> ContractState:
    if today < starts:
        return ContractState.AHEAD
    return ContractState.IN_FORCE if today <= ends else ContractState.ENDED


def renewal_notice(ends: date, told: int | None, today: date) -> int | None:
    """Which of RENEWAL_NOTICES staff are to be told of now; `told` is the last that they were. The nearest if several are due."""
    left = (ends - today).days
    due = [days for days in RENEWAL_NOTICES if 0 <= left <= days]
    nearest = min(due, default=None)
    return nearest if nearest is not None and (told is None or nearest < told) else None


_LIMITS: Final = {
    "records": "records",
    "users": "users",
    "storageBytes": "storage_bytes",
    "requestsPerMinute": "requests_per_minute",
}


def entitlement(tenant: Tenant, plan: str, limits: AgreedLimits) -> Patch:
    """What has to change at a Tenant so that it has what was agreed on; empty when nothing has."""
    if tenant.is_spare or tenant.metadata.deletion_timestamp is not None:
        return {}
    spec = tenant.spec
    change: Patch = {} if spec.plan == plan else {"plan": plan, "trialEndsAt": None}
    wanted = {field: getattr(limits, name) for field, name in _LIMITS.items()}
    present = spec.limits.dump() if spec.limits else {}
    if any(present.get(field) != value for field, value in wanted.items()):
        change["limits"] = wanted if any(value is not None for value in wanted.values()) else None
    if spec.suspended and spec.suspended.reason in LIFTED_BY_PAYMENT:
        change["suspended"] = None
    return change


def tidied(terms: QuoteTerms) -> QuoteTerms:
    """What was typed in one spelling."""
    return structs.replace(
        terms,
        company=tidy(terms.company),
        address="\n".join(found for line in terms.address.splitlines() if (found := tidy(line))),
        tax_id=tidy_tax_id(terms.tax_id),
        email=terms.email.strip(),
        order_number=tidy(terms.order_number),
        lines=tuple(structs.replace(line, text=tidy(line.text)) for line in terms.lines),
    )


def problems(terms: QuoteTerms, today: date) -> list[FieldError]:
    """What is wrong with tidied terms, by field."""
    found = [
        *_worded("company", company_problem(terms.company)),
        *_worded("address", _address_problem(terms.address)),
        *_worded("tax_id", _tax_id_problem(terms)),
        *_worded("email", email_problem(terms.email)),
        *_worded("order_number", name_problem(terms.order_number, ORDER_NUMBER_MAX)),
        *_worded("lines", _lines_problem(terms)),
    ]
    known = {one.field for one in found}
    found += [one for one in _unprintable(terms) if one.field not in known]
    if terms.term_months % terms.period_months:
        found.append(FieldError("period_months", "The term is a whole number of these."))
    if not today - LONGEST_AHEAD <= terms.starts_on <= today + LONGEST_AHEAD:
        found.append(FieldError("starts_on", "Choose a day within two years."))
    if not today <= terms.valid_until <= today + LONGEST_AHEAD:
        found.append(FieldError("valid_until", "Choose today or a later day, within two years."))
    return found


def _unprintable(terms: QuoteTerms) -> list[FieldError]:
    """What the document of an invoice could not show."""
    texts = {
        "company": terms.company,
        "address": terms.address,
        "tax_id": terms.tax_id,
        "order_number": terms.order_number,
        "lines": "".join(line.text for line in terms.lines),
    }
    said = "Invoices are printed in Latin, Greek and Cyrillic letters. These cannot be: {}"
    return [
        FieldError(name, said.format(letters[:20])) for name, text in texts.items() if (letters := unprintable(text))
    ]


def _address_problem(address: str) -> str | None:
    if not address:
        return "Enter the postal address."
    if len(address) > ADDRESS_MAX:
        return f"Use at most {ADDRESS_MAX} characters."
    lines = address.splitlines()
    if len(lines) > ADDRESS_LINES:
        return f"Use at most {ADDRESS_LINES} lines."
    return next((problem for line in lines if (problem := name_problem(line, ADDRESS_MAX))), None)


def _tax_id_problem(terms: QuoteTerms) -> str | None:
    if len(terms.tax_id) > TAX_ID_MAX:
        return f"Use at most {TAX_ID_MAX} characters."
    return tax_id_problem(terms.tax_id, terms.country) or name_problem(terms.tax_id, TAX_ID_MAX)


def _lines_problem(terms: QuoteTerms) -> str | None:
    if not terms.lines:
        return "Say what is sold, in at least one line."
    if len(terms.lines) > LINES_MAX:
        return f"Use at most {LINES_MAX} lines."
    if any(not line.text for line in terms.lines):
        return "Each line says what it is."
    return next((problem for line in terms.lines if (problem := name_problem(line.text, LINE_MAX))), None)


def _worded(field: str, problem: str | None) -> list[FieldError]:
    return [FieldError(field, problem)] if problem else []
