"""The documentation of the API, from its OpenAPI document, with the workspace's own address and collections.

What words and shows the document is loaded by the first page that needs it: few people read it.
"""

from typing import Any, Final

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.errors import NotFoundError
from vivero_web.openapi import document_of

from vivero_data.domain.collections.schemas import Collection, CollectionQuery
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.identity.service import IdentityService
from vivero_data.web.page import Visit, show
from vivero_data.web.render import Html

_SHOWN: Final = 12  # collections; others are found by their names

AnyRequest = Request[Any, Any, Any]


@get("/developers")
async def api_contents(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    identity: NamedDependency[IdentityService],
    collections: NamedDependency[CollectionService],
) -> Html:
    """All operations in sections, and the first collections; with `q` those that match."""
    from vivero_data.web import api_reference  # noqa: PLC0415  see the module's docstring

    search, address = request.query_params.get("q", "").strip(), await _address(request, identity)
    page = await collections.browse(visit.actor, CollectionQuery(limit=_SHOWN, search=search))
    context = {
        "sections": api_reference.matching(api_reference.sections(document_of(request), address), search),
        "collections": page.items,
        "more": page.next_cursor is not None,
        "search": search,
        "address": address,
        "first_call": api_reference.curl("GET", f"{address}/api/v1/collections"),
    }
    return show(visit, "developers/contents.html.j2", context)


@get("/developers/routes/{slug:str}")
async def api_section(
    request: AnyRequest, visit: NamedDependency[Visit], identity: NamedDependency[IdentityService], slug: FromPath[str]
) -> Html:
    """Every operation of one section."""
    from vivero_data.web import api_reference  # noqa: PLC0415  see the module's docstring

    every = api_reference.sections(document_of(request), await _address(request, identity))
    section = next((one for one in every if one.slug == slug), None)
    if section is None:
        raise NotFoundError("There is no such section of the API.")
    return show(visit, "developers/section.html.j2", {"section": section, "sections": every})


@get("/developers/collections/{name:str}")
async def api_collection(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    identity: NamedDependency[IdentityService],
    collection: NamedDependency[Collection],
) -> Html:
    """One collection: its fields with examples, and calls for its records."""
    from vivero_data.web import collection_reference  # noqa: PLC0415  see the module's docstring

    context = {
        "collection": collection,
        "fields": collection_reference.fields_of(collection),
        "calls": collection_reference.calls_of(collection, await _address(request, identity)),
    }
    return show(visit, "developers/collection.html.j2", context)


async def _address(request: AnyRequest, identity: IdentityService) -> str:
    """Where programs find the workspace, `https://…` without a slash at its end."""
    return (await identity.current()).public_url.rstrip("/") or f"https://{request.headers.get('host', '')}"
