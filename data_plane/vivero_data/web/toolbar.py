"""What stands above a table of records: views, search, filter, sort, columns, and what holds; read once for a page."""

from collections.abc import Mapping, Sequence

import msgspec

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.records.filters import AllOf, Tree
from vivero_data.domain.records.lists import SlowListError, totals_of
from vivero_data.domain.records.query import MAX_SORTS, column_of
from vivero_data.domain.records.where import searched_fields
from vivero_data.domain.users.schemas import Actor
from vivero_data.domain.views.schemas import RowHeight, View
from vivero_data.domain.views.service import ViewNotFoundError, ViewService, may_change
from vivero_data.lib.pages import MAX_LIMIT
from vivero_data.web.columns import key_of, listed
from vivero_data.web.filter_rows import FilterForm, form_of
from vivero_data.web.list_state import KNOWN, ListState, labelled, read_state
from vivero_data.web.listing import Address, address
from vivero_data.web.operators import TOTALS, describe, operators_of
from vivero_data.web.page import Visit


class Chip(msgspec.Struct, frozen=True):
    """A condition that holds, and the address without it."""

    words: str
    href: str


class Toolbar(msgspec.Struct, frozen=True):
    """All that its template shows.

    Attributes:
        form: the filter as rows; None if it goes deeper than rows can show.
        sorts: a line for each field that may be sorted by, filled or not.
        boarded, dated: the fields that a board can have columns of, and a calendar days.
        changeable: whether the view that is shown may be changed by who looks at it.
        slow: why the list is not shown, with what helps.
    """

    state: ListState
    views: Sequence[View]
    form: FilterForm | None
    chips: Sequence[Chip]
    sorts: Sequence[tuple[str, bool]]
    sortable: Sequence[tuple[str, str]]
    boarded: Sequence[tuple[str, str]]
    dated: Sequence[tuple[str, str]]
    searched: bool
    changeable: bool
    slow: SlowListError | None = None

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What can be asked for, by name with labels."""
        return [(field.name, label) for label, field in labelled(self.state.collection)]

    def field(self, name: str) -> Field:
        """The field of a row; the first one where there is none of the name."""
        column = column_of(self.state.collection, name)
        return column.field if column else self.state.collection.fields[0]

    def operators(self, name: str) -> list[tuple[str, str]]:
        """What it can be asked, in words."""
        return operators_of(self.field(name))

    @property
    def columns(self) -> list[tuple[str, Field]]:
        """What the form of columns lists, with what names each in it."""
        return [(key_of(field), field) for field in listed(self.state.collection, self.state.columns)]

    def totals(self, field: Field) -> list[tuple[str, str]]:
        """What can stand below its column, in words."""
        return [(one.value, TOTALS[one]) for one in totals_of(field)]

    @property
    def group(self) -> Field:
        """What the rows are grouped by."""
        return self.field(self.state.spec.group_by or "")

    @property
    def heights(self) -> list[tuple[RowHeight, str]]:
        """How high rows can be, with the address of the page where they are."""
        here = self.state.base
        return [(one, str(here.put("height", "" if one is RowHeight.NORMAL else one.value))) for one in RowHeight]

    @property
    def count_href(self) -> str:
        return self._beside("count")

    @property
    def totals_href(self) -> str:
        return self._beside("totals")

    def _beside(self, name: str) -> str:
        return str(msgspec.structs.replace(self.state.base, path=f"{self.state.base.path}/{name}"))


async def load(
    actor: Actor,
    collection: Collection,
    views: ViewService,
    pairs: Sequence[tuple[str, str]],
    cookies: Mapping[str, str],
) -> tuple[ListState, Sequence[View]]:
    """The state of an address, and the views to choose from; without any parameter the collection's first view.

    Raises:
        InvalidInputError: the address cannot be read.
        ViewNotFoundError: there is no such view, or it is somebody's own.
    """
    found = (await views.list(actor, collection.name, MAX_LIMIT)).items
    known = [(name, text) for name, text in pairs if name in KNOWN and text]
    wanted = next((text for name, text in known if name == "view"), "")
    first = next((one for one in found if one.default), None) if not known else None
    view = first or next((one for one in found if str(one.id) == wanted), None)
    if view is None and wanted.isdigit():
        raise ViewNotFoundError
    if first:
        known = [("view", str(first.id))]
    return read_state(collection, known, view, cookies), found


def toolbar(state: ListState, views: Sequence[View], visit: Visit, slow: SlowListError | None = None) -> Toolbar:
    collection, sorts = state.collection, [(one.removeprefix("-"), one.startswith("-")) for one in state.spec.sort]
    known = labelled(collection)
    return Toolbar(
        state=state,
        views=views,
        form=form_of(collection, state.where, visit.notation),
        chips=_chips(state),
        sorts=[*sorts, *[("", False)] * (MAX_SORTS - len(sorts))],
        sortable=[(field.name, label) for label, field in known if field.kind.sortable],
        boarded=[(field.name, label) for label, field in known if field.kind.board],
        dated=[(field.name, label) for label, field in known if field.kind.dated],
        searched=bool(searched_fields(collection)),
        changeable=state.view is not None and visit.as_of is None and may_change(visit.actor, state.view),
        slow=slow,
    )


def _chips(state: ListState) -> list[Chip]:
    """Each condition that must hold; what is any of several is one."""
    if state.where is None:
        return []
    parts: Sequence[Tree] = state.where.all if isinstance(state.where, AllOf) else (state.where,)
    return [
        Chip(describe(state.collection, part), str(state.with_where(_all([*parts[:place], *parts[place + 1 :]]))))
        for place, part in enumerate(parts)
    ]


def _all(parts: Sequence[Tree]) -> Tree | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def rearranged(shown: Address, changes: Mapping[str, str]) -> Address:
    """The address with other parts, of the first page."""
    changed = address(shown.path, shown.items, *KNOWN).drop("cursor", "back", "slow")
    for name, text in changes.items():
        changed = changed.put(name, text)
    return changed
