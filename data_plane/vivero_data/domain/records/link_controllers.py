"""What links of records are chosen from, and what leads to a record."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from vivero_web.fields import LARGEST

from vivero_data.domain.collections.schemas import CollectionName
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.records.linking import MAX_WORDS, ReferenceService
from vivero_data.domain.records.references import MAX_FOUND, MAX_RELATED, Related
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.pages import Page

RecordId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The record's number.")]
Words = Annotated[
    str, QueryParameter(name="q", max_length=MAX_WORDS, description="How it begins, or a part; the newest if empty.")
]


class LinkController(Controller):
    """Choices for links, a few at a time."""

    tags = ("Records",)

    @get("/collections/{name:str}/titles", description=f"Up to {MAX_FOUND} records by their first field, to link to.")
    async def list_titles(
        self,
        actor: NamedDependency[Actor],
        references: NamedDependency[ReferenceService],
        name: CollectionName,
        words: Words = "",
    ) -> Page[Linked]:
        """Records by what they are called."""
        return await references.records(actor, name, words)

    @get("/people", description=f"Up to {MAX_FOUND} people of the workspace by name or address.")
    async def list_people(
        self, actor: NamedDependency[Actor], references: NamedDependency[ReferenceService], words: Words = ""
    ) -> Page[Linked]:
        """People by name or address."""
        return await references.people(actor, words)

    @get(
        "/collections/{name:str}/records/{record_id:int}/related",
        description=f"Records whose links lead to this one, up to {MAX_RELATED} of each field; `more` says that there are others.",
    )
    async def list_related(
        self,
        actor: NamedDependency[Actor],
        references: NamedDependency[ReferenceService],
        name: CollectionName,
        record_id: RecordId,
    ) -> Page[Related]:
        """Records whose links lead to this one."""
        return Page(await references.related(actor, name, record_id))
