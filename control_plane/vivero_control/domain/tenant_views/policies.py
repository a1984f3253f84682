"""A view as text and back, who may do what with it, and what is wrong with a new one. Pure."""

from collections.abc import Collection, Mapping
from typing import Final, cast, get_args

from vivero_web.errors import FieldError
from vivero_web.text import name_problem, tidy

from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenant_views.schemas import MOST, NAME_MAX, Column, NewView, TenantView, Wanted
from vivero_control.domain.tenants.schemas import OBJECT_NAME_MAX, Only, SortKey, TenantState

_SORT_KEYS: Final = frozenset(get_args(SortKey))


def read(params: Mapping[str, str]) -> Wanted:
    """Of an address or a row. What is unknown is left out, not refused.

    Addresses are shared, and a newer program may have written the row.
    """
    state, only, sort = (params.get(name, "") for name in ("state", "only", "sort"))
    chosen = params.get("columns", "").split(",")
    key = sort.removeprefix("-")
    return Wanted(
        search=params.get("q", "")[:200],
        plan=params.get("plan", "")[:OBJECT_NAME_MAX],
        state=TenantState(state) if state in set(TenantState) else None,
        only=Only(only) if only in set(Only) else None,
        sort=cast("SortKey", key) if key in _SORT_KEYS else Wanted().sort,  # one of the literals
        descending=sort.startswith("-") if key in _SORT_KEYS else Wanted().descending,
        columns=tuple(one for one in Column if one in chosen),
    )


def sort_word(wanted: Wanted) -> str:
    """The order in one word, as an address has it: `-` in front of the largest or latest first."""
    return ("-" if wanted.descending else "") + wanted.sort


def written(wanted: Wanted) -> dict[str, str]:
    """What `read` reads as the same again."""
    said = {
        "q": wanted.search,
        "plan": wanted.plan,
        "state": wanted.state or "",
        "only": wanted.only or "",
        "sort": sort_word(wanted),
        "columns": ",".join(one for one in Column if one in wanted.columns),
    }
    return {name: str(value) for name, value in said.items() if value}


def problems(new: NewView, others: Collection[str]) -> list[FieldError]:
    """`others` are the names of who saves it, without that of a view that is changed."""
    name = tidy(new.name)
    if not name:
        return [FieldError("name", "Give it a name.")]
    if problem := name_problem(name, NAME_MAX):
        return [FieldError("name", problem)]
    if name.casefold() in {one.casefold() for one in others}:
        return [FieldError("name", "You have a view of this name already.")]
    if len(others) >= MOST:
        return [FieldError("name", f"You have {MOST} views. Delete one that you do not need.")]
    return []


def may_change(member: StaffView, owner_id: str) -> bool:
    """Of a view that the member sees."""
    return member.id == owner_id or member.role == "admin"


def in_order(views: Collection[TenantView]) -> tuple[TenantView, ...]:
    """One's own first, each by name."""
    return tuple(sorted(views, key=lambda one: (not one.is_own, one.name.casefold(), one.id)))
