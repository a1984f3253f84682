"""A board: the values of a field as columns, each with a page of its records as cards.

Each column is the list that is shown with one more condition, so that filters, rights and bounds are those of a table.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from vivero_web.errors import NotFoundError

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.records.filters import AllOf, Condition, Not, Tree
from vivero_data.domain.records.linking import ReferenceService
from vivero_data.domain.records.query import column_of
from vivero_data.domain.records.schemas import Record, RecordCount, RecordQuery
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list
from vivero_data.lib.pages import Page
from vivero_data.web.inputs import input_name, shown
from vivero_data.web.list_state import ListState

MAX_LANES: Final = 30
"""Values that have a column of their own; the others share one."""
CARDS: Final = 20  # of a column at first, and of each further page
CARD_FIELDS: Final = 4  # below the title, where none were chosen
OTHERS: Final = "others"
NO_FIELD: Final = (
    "A board needs a field whose values are its columns: a choice, a person, or yes or no. Choose one in “Show as”."
)


class Lane(msgspec.Struct, frozen=True):
    """A column of a board.

    Attributes:
        key: what names it in addresses: its place among the values, `none` or `others`.
        value: of its records; None for those without one.
        typed: its value as people type it; None where no record can be moved to.
    """

    key: str
    label: str
    condition: Tree
    value: Any = None
    typed: str | None = None


class Filled(msgspec.Struct, frozen=True):
    """A column with its first cards, and the addresses of what goes further."""

    lane: Lane
    page: Page[Record]
    count: RecordCount
    more: str
    listed: str
    new: str


async def lanes_of(actor: Actor, references: ReferenceService, field: Field) -> list[Lane]:
    """The columns of a board by this field."""
    people = (await references.people(actor, "", MAX_LANES)).items if field.kind.refers else []
    return lanes(field, [*field.kind.listed(field), *people])


def lanes(field: Field, values: Sequence[Any]) -> list[Lane]:
    """No value first, then each value, then what has none of these; pure.

    No card is moved where the workspace writes the values itself.
    """
    own = values[:MAX_LANES]
    sent = [one.id if isinstance(one, Linked) else one for one in own]
    filled = Condition(field.name, "filled")
    others = AllOf((filled, Not(Condition(field.name, "in", sent)))) if sent else filled
    none = Lane(
        "none", "No value", Condition(field.name, "empty"), typed=None if field.required or field.kind.computed else ""
    )
    return [
        none,
        *(
            Lane(
                str(place),
                _label(value),
                Condition(field.name, "eq", said),
                value,
                None if field.kind.computed else shown(value),
            )
            for place, (value, said) in enumerate(zip(own, sent, strict=True))
        ),
        Lane(OTHERS, "Other values", others),
    ]


def _label(value: Any) -> str:  # noqa: ANN401  a field's value
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value.title if isinstance(value, Linked) else value)


def field_of(collection: Collection, state: ListState) -> Field | None:
    """The field whose values are the columns; None where the view has none that can be."""
    column = column_of(collection, state.spec.group_by) if state.spec.group_by else None
    return column.field if column and column.field.kind.board else None


def shown_on(state: ListState) -> list[Field]:
    """The fields of a card: those that the view has, else the first few."""
    return state.columns if state.spec.columns else state.columns[: 1 + CARD_FIELDS]


def query_of(state: ListState, lane: Lane, cursor: str | None = None) -> RecordQuery:
    """The records of a column, in the order of the view."""
    return msgspec.structs.replace(
        state.query,
        where=encode(state.where_also(lane.condition)),
        sort=join_list(state.spec.sort),
        limit=CARDS,
        cursor=cursor,
    )


async def fill(
    actor: Actor, records: RecordService, state: ListState, field: Field, every: Sequence[Lane]
) -> list[Filled]:
    """Every column with its first cards; without the ones for no and other values that are empty and take no card.

    Raises:
        SlowListError: a column takes long, and the address does not allow that.
    """
    found = []
    for lane in every:
        query = query_of(state, lane)
        page = await records.list(actor, state.collection.name, query)
        if not page.items and lane.typed is None:
            continue
        count = (
            await records.count(actor, state.collection.name, query, exact=False)
            if page.next_cursor
            else RecordCount(len(page.items), exact=True)
        )
        found.append(filled(state, field, lane, page, count))
    return found


def filled(state: ListState, field: Field, lane: Lane, page: Page[Record], count: RecordCount) -> Filled:
    """A column with a page of cards; pure."""
    cards = msgspec.structs.replace(state.base, path=f"{state.base.path}/cards").put("column", lane.key)
    listed = state.with_where(state.where_also(lane.condition))
    return Filled(
        lane,
        page,
        count,
        more=str(cards.put("cursor", page.next_cursor)) if page.next_cursor else "",
        listed=str(listed.drop("kind", "group")),
        new=str(state.new_record.put(input_name(field), lane.typed)) if lane.typed is not None else "",
    )


def lane_named(every: Sequence[Lane], key: str) -> Lane:
    """Raises NotFoundError where there is no such column."""
    found = next((one for one in every if one.key == key), None)
    if found is None:
        raise NotFoundError("There is no such column of this board.")
    return found
