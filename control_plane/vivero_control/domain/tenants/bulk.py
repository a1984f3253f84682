"""One order for several tenants: what it would do to each, and what it did. Each is decided, written and audited by itself."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_core.model.constants import SuspensionReason
from vivero_web.errors import InvalidInputError, WebError

from vivero_control.domain.tenants.errors import TenantUnreadableError
from vivero_control.domain.tenants.schemas import (
    Action,
    ExtendTrial,
    Generation,
    Reason,
    Resume,
    Suspend,
    TenantDetail,
    TenantRow,
    TenantState,
)
from vivero_control.domain.tenants.service import TenantService

MOST: Final = 50
"""Tenants of one order: a page of the console."""


class BulkAction(StrEnum):
    """What is done to each."""

    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend-trial"


class Outcome(StrEnum):
    """What became of the order for one tenant."""

    POSSIBLE = "possible"
    """Of a preview."""
    DONE = "done"
    REFUSED = "refused"


class Target(Struct, frozen=True, kw_only=True):
    """One of the tenants."""

    name: Annotated[str, Meta(min_length=1, max_length=63, description="metadata.name of the Tenant.")]
    generation: Generation = None


class Order(Struct, frozen=True, kw_only=True):
    """What is given to each of several tenants."""

    action: BulkAction
    reason: Reason
    kind: Annotated[SuspensionReason, Meta(description="Of a suspension.")] = SuspensionReason.MANUAL
    message: Annotated[str, Meta(max_length=500, description="Of a suspension: shown to visitors.")] = ""
    trial_ends_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None, Meta(description="Of an extension: the new end of all trials.")
    ] = None


class BulkOrder(Order, frozen=True, kw_only=True):
    """An order for several tenants."""

    tenants: Annotated[list[Target], Meta(min_length=1, max_length=MOST, description="Which ones.")]
    preview: Annotated[bool, Meta(description="Only say what would be done; nothing is changed or audited.")] = False


class BulkLine(Struct, frozen=True, kw_only=True):
    """What became of it for one."""

    name: Annotated[str, Meta(description="metadata.name of the Tenant.")]
    outcome: Outcome
    message: Annotated[str, Meta(description="Why it was refused; else the name of the company.")]
    generation: Annotated[int | None, Meta(description="Of the tenant as it was looked at; null if it was refused.")]


class BulkResult(Struct, frozen=True, kw_only=True):
    """What became of it for each, in the order in which they were named."""

    lines: Annotated[tuple[BulkLine, ...], Meta(description="One for each tenant.")]

    def of(self, outcome: Outcome) -> list[BulkLine]:
        return [one for one in self.lines if one.outcome is outcome]


class BulkOrders:
    """For staff."""

    def __init__(self, tenants: TenantService) -> None:
        self._tenants = tenants

    async def give(self, order: BulkOrder, actor: str) -> BulkResult:
        """One after the other: what one refuses, or an outage in between, keeps none of the others from theirs.

        Raises:
            InvalidInputError: the order itself is incomplete.
        """
        _check(order)
        return BulkResult(lines=tuple([await self._line(order, target, actor) for target in order.tenants]))

    def known(self, order: Order, rows: Iterable[TenantRow]) -> BulkResult:
        """What it would do to each, as the list knows them. Raises as `give`."""
        _check(order)
        return BulkResult(lines=tuple(self._known(order, row) for row in rows))

    def _known(self, order: Order, row: TenantRow) -> BulkLine:
        try:
            if row.state is TenantState.UNREADABLE:
                raise TenantUnreadableError(row.name, row.message)
            found = self._tenants.check_known(row.name, action_of(order, None))
        except WebError as error:
            return _refused(row.name, error)
        return _line(row.name, Outcome.POSSIBLE, found)

    async def _line(self, order: BulkOrder, target: Target, actor: str) -> BulkLine:
        action = action_of(order, target.generation)
        try:
            if order.preview:
                found, outcome = await self._tenants.check(target.name, action), Outcome.POSSIBLE
            else:
                found, outcome = await self._tenants.give(target.name, action, actor), Outcome.DONE
        except WebError as error:
            return _refused(target.name, error)
        return _line(target.name, outcome, found)


def _check(order: Order) -> None:
    if order.action is BulkAction.EXTEND and order.trial_ends_at is None:
        raise InvalidInputError.of("trial_ends_at", "Choose a day.")


def _refused(name: str, error: WebError) -> BulkLine:
    return BulkLine(name=name, outcome=Outcome.REFUSED, message=error.detail, generation=None)


def _line(name: str, outcome: Outcome, found: TenantDetail) -> BulkLine:
    return BulkLine(name=name, outcome=outcome, message=found.tenant.display_name, generation=found.generation)


def action_of(order: Order, generation: int | None) -> Action:
    """The order as one for a single tenant."""
    if order.action is BulkAction.SUSPEND:
        return Suspend(reason=order.reason, kind=order.kind, message=order.message, generation=generation)
    if order.trial_ends_at is not None and order.action is BulkAction.EXTEND:
        return ExtendTrial(reason=order.reason, trial_ends_at=order.trial_ends_at, generation=generation)
    return Resume(reason=order.reason, generation=generation)
