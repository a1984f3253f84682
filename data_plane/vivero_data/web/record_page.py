"""What stands around a record's form: the list it was opened from, its neighbours there, comments, files and history."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from vivero_web.errors import InvalidInputError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.comments.schemas import Comment
from vivero_data.domain.comments.service import CommentService
from vivero_data.domain.records.files import RecordFileService
from vivero_data.domain.records.linking import ReferenceService
from vivero_data.domain.records.neighbours import Neighbours
from vivero_data.domain.records.references import Related
from vivero_data.domain.records.schemas import RecordChange, RecordFiles
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.views.service import ViewService
from vivero_data.lib.pages import Page
from vivero_data.web.list_state import shown_in
from vivero_data.web.listing import Address, record_href
from vivero_data.web.page import Visit
from vivero_data.web.toolbar import load

_CHANGES: Final = 20
_COMMENTS: Final = 200


class Around(msgspec.Struct, frozen=True):
    """`shown` is the list that the record was opened from, which the page's links and forms keep."""

    shown: Address
    neighbours: Neighbours
    comments: Page[Comment]
    history: Page[RecordChange]
    related: Sequence[Related]
    files: RecordFiles

    def record(self, number: int) -> str:
        """The address of a record of the same list."""
        return record_href(self.shown, number)


class Reading(msgspec.Struct, frozen=True):
    """The services that such a page reads from."""

    records: RecordService
    comments: CommentService
    views: ViewService
    references: ReferenceService
    files: RecordFileService


async def around(  # noqa: PLR0913, PLR0917  whose page, of what, from where
    visit: Visit, collection: Collection, record_id: int, text: str, reading: Reading, cookies: Mapping[str, str]
) -> Around:
    """All of it; `text` is the query of the list, as forms and addresses carry it."""
    shown = shown_in(collection, text)
    try:
        state, _ = await load(visit.actor, collection, reading.views, shown.items, cookies)
        beside = await reading.records.neighbours(visit.actor, collection.name, record_id, state.query)
    except InvalidInputError:
        beside = Neighbours()  # the list itself says what is wrong with its address
    return Around(
        shown,
        beside,
        await reading.comments.list(visit.actor, collection.name, record_id, _COMMENTS),
        await reading.records.history(visit.actor, collection.name, record_id, _CHANGES),
        await reading.references.related(visit.actor, collection.name, record_id),
        await reading.files.list(visit.actor, collection.name, record_id),
    )
