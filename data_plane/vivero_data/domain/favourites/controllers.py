"""`/api/v1/collections/{name}/favourite`: one's own."""

from litestar import Controller, delete, put
from litestar.di import NamedDependency
from vivero_web.declared import raises

from vivero_data.domain.collections.schemas import CollectionName
from vivero_data.domain.favourites.service import FavouriteService, FavouritesFullError
from vivero_data.domain.users.schemas import Actor
from vivero_data.domain.views.schemas import ViewId


class FavouriteController(Controller):
    """What the caller wants at hand."""

    path = "/collections/{name:str}/favourite"
    tags = ("Collections",)

    @put(status_code=204)
    @raises(FavouritesFullError)
    async def add_favourite(
        self, actor: NamedDependency[Actor], favourites: NamedDependency[FavouriteService], name: CollectionName
    ) -> None:
        """Show the collection first in the caller's sidebar."""
        await favourites.add(actor, name)

    @delete()
    async def remove_favourite(
        self, actor: NamedDependency[Actor], favourites: NamedDependency[FavouriteService], name: CollectionName
    ) -> None:
        """Show it where it was."""
        await favourites.remove(actor, name)


class FavouriteViewController(Controller):
    """The views that the caller wants at hand."""

    path = "/collections/{name:str}/views/{view_id:int}/favourite"
    tags = ("Views",)

    @put(status_code=204)
    @raises(FavouritesFullError)
    async def add_favourite_view(
        self,
        actor: NamedDependency[Actor],
        favourites: NamedDependency[FavouriteService],
        name: CollectionName,
        view_id: ViewId,
    ) -> None:
        """Show the view first in the caller's sidebar."""
        await favourites.add_view(actor, name, view_id)

    @delete()
    async def remove_favourite_view(
        self,
        actor: NamedDependency[Actor],
        favourites: NamedDependency[FavouriteService],
        name: CollectionName,
        view_id: ViewId,
    ) -> None:
        """Show the view where it was."""
        await favourites.remove_view(actor, name, view_id)
