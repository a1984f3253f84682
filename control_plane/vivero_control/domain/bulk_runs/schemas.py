"""An order for all tenants that match a filter, as staff and programs see it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_web.errors import ConflictError, NotFoundError

from vivero_control.domain.tenants.bulk import BulkAction, Order
from vivero_control.domain.tenants.schemas import OBJECT_NAME_MAX, Only, TenantState

MOST: Final = 1000
"""Tenants of one run."""


class Matching(Struct, frozen=True, kw_only=True):
    """Which tenants: those that the list shows for the same filters."""

    search: Annotated[str, Meta(max_length=200, description="Part of name, slug, company, owner's e-mail or id.")] = ""
    plan: Annotated[str, Meta(max_length=OBJECT_NAME_MAX, description="Name of a plan; empty: any.")] = ""
    state: Annotated[TenantState | None, Meta(description="Null: every customer's.")] = None
    only: Annotated[Only | None, Meta(description="Those that want a look for this reason; null: all.")] = None


class NewRun(Order, frozen=True, kw_only=True):
    """An order for all that match."""

    matching: Matching
    count: Annotated[
        int,
        Meta(ge=1, le=MOST, description="For how many it was seen to be possible; refused when there are others now."),
    ]


class ItemState(StrEnum):
    """What became of the order for one tenant."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    """The tenant had changed, or is in a state in which this makes no sense."""
    GIVEN_UP = "given-up"
    """The cluster did not answer for as long as jobs are tried."""


class RunItem(Struct, frozen=True, kw_only=True):
    """One tenant of a run."""

    tenant: Annotated[str, Meta(description="metadata.name of the Tenant.")]
    state: ItemState
    message: Annotated[str, Meta(description="Why it was refused or given up; else empty.")]


class RunView(Struct, frozen=True, kw_only=True):
    """How far it is."""

    id: Annotated[int, Meta(description="Its number.")]
    action: BulkAction
    actor: Annotated[str, Meta(description="E-mail of who gave the order.")]
    reason: Annotated[str, Meta(description="Why.")]
    made_at: Annotated[datetime, Meta(description="When it was given.")]
    total: Annotated[int, Meta(description="Tenants of the order.")]
    waiting: Annotated[int, Meta(description="Those whose turn has not come.")]
    done: Annotated[int, Meta(description="Those for which it is done.")]
    refused: Annotated[int, Meta(description="Those that were left as they are.")]
    given_up: Annotated[int, Meta(description="Those of which the cluster did not answer in time.")]
    left: Annotated[
        tuple[RunItem, ...], Meta(description="Those that were refused or given up, the first hundred by name.")
    ]


class RunNotFoundError(NotFoundError):
    """There is no such run, or it is no longer kept."""

    def __init__(self) -> None:
        super().__init__("There is no such order.")


class OthersMatchError(ConflictError):
    """What matches is not what was looked at."""

    slug = "others-match"
    title = "Other tenants match now"

    def __init__(self, now: int) -> None:
        super().__init__(f"It is possible for {now:,} tenants now. Look at them and decide again.")
