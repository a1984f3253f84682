"""Views of the tenants' list: a name for filters, an order and columns."""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_web.fields import LARGEST

from vivero_control.domain.tenants.schemas import OBJECT_NAME_MAX, Only, SortKey, TenantState

NAME_MAX: Final = 60
MOST: Final = 50
"""Views that one member has."""


class Column(StrEnum):
    """A column of the list; the company is always the first."""

    STATUS = "status"
    PLAN = "plan"
    OWNER = "owner"
    TRIAL = "trial"
    VERSION = "version"
    AGE = "age"


class Wanted(Struct, frozen=True, kw_only=True):
    """What a view shows, in which order, with which columns."""

    search: Annotated[
        str, Meta(max_length=200, description="Part of name, slug, display name, owner's e-mail or id.")
    ] = ""
    plan: Annotated[str, Meta(max_length=OBJECT_NAME_MAX, description="Name of a plan; empty: any.")] = ""
    state: Annotated[TenantState | None, Meta(description="Null: every customer's.")] = None
    only: Annotated[Only | None, Meta(description="Those that want a look for this reason; null: all.")] = None
    sort: Annotated[SortKey, Meta(description="By what they are ordered.")] = "created_at"
    descending: Annotated[bool, Meta(description="Largest or latest first.")] = True
    columns: Annotated[
        tuple[Column, ...],
        Meta(max_length=len(Column), description="Beside the company, in the order of the list; none: all."),
    ] = ()


class NewView(Struct, frozen=True, kw_only=True):
    """A view to be saved."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX, description="One that you do not have yet.")]
    shared: Annotated[bool, Meta(description="Whether all of the staff see it.")] = False
    wanted: Wanted = Wanted()


class TenantView(Struct, frozen=True, kw_only=True):
    """A view as one of the staff sees it."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="What it is called.")]
    shared: Annotated[bool, Meta(description="Whether all of the staff see it.")]
    owner: Annotated[str, Meta(description="E-mail of who made it.")]
    is_own: Annotated[bool, Meta(description="Whether you made it.")]
    may_change: Annotated[
        bool, Meta(description="Whether you may change and delete it: your own, for admins shared ones, too.")
    ]
    is_default: Annotated[bool, Meta(description="Whether it is what you see first.")]
    wanted: Wanted


class ViewList(Struct, frozen=True, kw_only=True):
    """One's own by name, then those that others share."""

    items: Annotated[tuple[TenantView, ...], Meta(description="All that you see.")]


class ChosenView(Struct, frozen=True, kw_only=True):
    """What one wants to see first."""

    view: Annotated[
        Annotated[int, Meta(ge=1, le=LARGEST)] | None, Meta(description="Its number; null: every customer.")
    ]
