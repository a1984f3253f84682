"""The stars of a collection's page and of its views."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.bodies import read_form

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.favourites.service import FavouriteService
from vivero_data.domain.users.schemas import Actor
from vivero_data.web.listing import collection_href, view_href
from vivero_data.web.page import done


@post("/collections/{name:str}/favourite")
async def choose_favourite(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    collection: NamedDependency[Collection],
    favourites: NamedDependency[FavouriteService],
) -> Response[Any]:
    change = favourites.add if (await read_form(request)).get("on") else favourites.remove
    await change(actor, collection.name)
    return done(collection_href(collection.name))


@post("/collections/{name:str}/views/{view_id:int}/favourite")
async def choose_favourite_view(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    collection: NamedDependency[Collection],
    favourites: NamedDependency[FavouriteService],
    view_id: FromPath[int],
) -> Response[Any]:
    change = favourites.add_view if (await read_form(request)).get("on") else favourites.remove_view
    await change(actor, collection.name, view_id)
    return done(view_href(collection.name, view_id))
