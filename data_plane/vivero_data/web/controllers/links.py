"""Where a link leads, and the choices for one: addressed by numbers, as links are stored."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.text import tidy

from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.linking import ReferenceService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.pages import Page
from vivero_data.web.listing import collection_href


@get("/links")
async def linkable_collections(
    actor: NamedDependency[Actor], collections: NamedDependency[CollectionService], q: FromQuery[str] = ""
) -> Page[Linked]:
    """Collections by name, to link to."""
    return Page([Linked(one.id, one.name) for one in await collections.suggest(actor, tidy(q))])


@get("/links/people")
async def linkable_people(
    actor: NamedDependency[Actor], references: NamedDependency[ReferenceService], q: FromQuery[str] = ""
) -> Page[Linked]:
    """People by name, to link to."""
    return await references.people(actor, q)


@get("/links/links")
async def known_links(
    actor: NamedDependency[Actor], references: NamedDependency[ReferenceService], q: FromQuery[str] = ""
) -> Page[Linked]:
    """Fields that are links, to read through."""
    return await references.fields(actor, q, FieldType.LINK)


@get("/links/fields")
async def known_fields(
    actor: NamedDependency[Actor], references: NamedDependency[ReferenceService], q: FromQuery[str] = ""
) -> Page[Linked]:
    """Fields of all collections, to be read through a link."""
    return await references.fields(actor, q)


@get("/links/{collection_id:int}")
async def linkable_records(
    actor: NamedDependency[Actor],
    references: NamedDependency[ReferenceService],
    collection_id: FromPath[int],
    q: FromQuery[str] = "",
) -> Page[Linked]:
    """Records of a collection by what they are called, to link to."""
    return await references.records(actor, await references.name_of(actor, collection_id), q)


@get("/links/{collection_id:int}/{record_id:int}")
async def follow_link(
    actor: NamedDependency[Actor],
    references: NamedDependency[ReferenceService],
    collection_id: FromPath[int],
    record_id: FromPath[int],
) -> Redirect:
    """To the record's page."""
    name = await references.name_of(actor, collection_id)
    return Redirect(f"{collection_href(name)}/records/{record_id}", status_code=HTTP_303_SEE_OTHER)
