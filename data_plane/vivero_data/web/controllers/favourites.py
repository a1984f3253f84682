"""The star of a collection's page."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from vivero_web.bodies import read_form

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.favourites.service import FavouriteService
from vivero_data.domain.users.schemas import Actor
from vivero_data.web.listing import collection_href
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
