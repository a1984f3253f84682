"""The rows of a table in groups: each heading with its records, and the address that folds or unfolds it; pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.records.groups import Heading
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.views.schemas import MAX_FOLDED
from vivero_data.web.list_state import ListState


class Band(msgspec.Struct, frozen=True):
    """Rows of a table below a heading, or without one.

    Attributes:
        href: where its records are hidden or shown again; empty where no more groups can be folded.
    """

    records: Sequence[Record]
    heading: Heading | None = None
    folded: bool = False
    href: str = ""


def bands_of(state: ListState, headings: Sequence[Heading], records: Sequence[Record]) -> list[Band]:
    """The records below the headings that are theirs."""
    folded = [_sent(one.value) for one in headings if not one.ids]
    found = []
    for one in headings:
        value = _sent(one.value)
        others = [*folded, value] if one.ids else [each for each in folded if each != value]
        href = str(state.with_folded(others)) if len(others) <= MAX_FOLDED else ""
        found.append(Band([record for record in records if record.id in one.ids], one, not one.ids, href))
    # What changed between the two reads is in none of them.
    known = {number for one in headings for number in one.ids}
    left = [record for record in records if record.id not in known]
    return [*found, *([Band(left)] if left else [])]


def _sent(value: Any) -> Any:  # noqa: ANN401  a field's value
    """The value as the API takes it."""
    return value.id if isinstance(value, Linked) else value
