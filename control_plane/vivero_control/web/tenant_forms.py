"""What staff typed into a dialog, as an action of `domain/tenants`. Pure.

Every function raises InvalidInputError naming the fields that are wrong.
"""

from datetime import UTC, date, datetime, time
from typing import Final

from msgspec import Struct
from vivero_core.model.constants import SuspensionReason
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import whole_number

from vivero_control.domain.billing.schemas import MOST_MONTHS, PauseOrder, TakePauseBack
from vivero_control.domain.deleted.service import Undelete
from vivero_control.domain.tenants.schemas import ChangePlan, ConfirmOwner, ExtendTrial, Resume, Suspend
from vivero_control.web.shown_values import second

REASON_MIN: Final = 3
TEXT_MAX: Final = 500
_END_OF_DAY: Final = time(23, 59, 59, tzinfo=UTC)


class ActionForm(Struct, kw_only=True):
    """The fields of all dialogs as typed; each uses its own."""

    reason: str = ""
    kind: str = ""
    message: str = ""
    trial_ends_on: str = ""
    plan: str = ""
    months: str = ""
    starts: str = ""
    generation: str = ""


def suspend(form: ActionForm) -> Suspend:
    errors = reason_errors(form.reason)
    if form.kind not in set(SuspensionReason):
        errors.append(FieldError("kind", "Choose one of the reasons."))
    if len(form.message) > TEXT_MAX:
        errors.append(FieldError("message", f"Use at most {TEXT_MAX} characters."))
    _raise(errors)
    return Suspend(
        reason=form.reason.strip(),
        kind=SuspensionReason(form.kind),
        message=form.message.strip(),
        generation=whole_number(form.generation),
    )


def undelete(form: ActionForm) -> Undelete:
    _raise(reason_errors(form.reason))
    return Undelete(reason=form.reason.strip())


def resume(form: ActionForm) -> Resume:
    _raise(reason_errors(form.reason))
    return Resume(reason=form.reason.strip(), generation=whole_number(form.generation))


def confirm_owner(form: ActionForm) -> ConfirmOwner:
    _raise(reason_errors(form.reason))
    return ConfirmOwner(reason=form.reason.strip(), generation=whole_number(form.generation))


def extend_trial(form: ActionForm) -> ExtendTrial:
    """The trial ends with the chosen day, in UTC."""
    errors = reason_errors(form.reason)
    end = last_moment(form.trial_ends_on)
    if end is None:
        errors.append(FieldError("trial_ends_at", "Choose a day."))
    _raise(errors)
    return ExtendTrial(
        reason=form.reason.strip(),
        trial_ends_at=end or datetime.max.replace(tzinfo=UTC),
        generation=whole_number(form.generation),
    )


def change_plan(form: ActionForm) -> ChangePlan:
    errors = reason_errors(form.reason)
    if not form.plan:
        errors.append(FieldError("plan", "Choose a plan."))
    _raise(errors)
    return ChangePlan(reason=form.reason.strip(), plan=form.plan, generation=whole_number(form.generation))


def pause_plan(form: ActionForm) -> PauseOrder:
    errors = reason_errors(form.reason)
    months, starts = whole_number(form.months), second(form.starts)
    if months is None or not 1 <= months <= MOST_MONTHS or starts is None:
        raise InvalidInputError.of_all([*errors, FieldError("months", f"Choose 1 to {MOST_MONTHS} months.")])
    _raise(errors)
    return PauseOrder(reason=form.reason.strip(), months=months, starts_at=starts)


def take_pause_back(form: ActionForm) -> TakePauseBack:
    _raise(reason_errors(form.reason))
    return TakePauseBack(reason=form.reason.strip())


def reason_errors(typed: str) -> list[FieldError]:
    reason = typed.strip()
    if len(reason) < REASON_MIN:
        return [FieldError("reason", "Say why, in a few words.")]
    if len(reason) > TEXT_MAX:
        return [FieldError("reason", f"Use at most {TEXT_MAX} characters.")]
    return []


def moment(text: str) -> datetime | None:
    """In UTC, as browsers write a local time; another offset is believed."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _raise(errors: list[FieldError]) -> None:
    if errors:
        raise InvalidInputError.of_all(errors)


def last_moment(text: str) -> datetime | None:
    """Of a day, in UTC; None of what is none."""
    try:
        return datetime.combine(date.fromisoformat(text), _END_OF_DAY)
    except ValueError:
        return None
