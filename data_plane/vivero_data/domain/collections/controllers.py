"""`/api/v1/collections`."""

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.collections.schemas import CONTENT_BYTES, Collection, CollectionName, NewCollection
from vivero_data.domain.collections.service import CollectionNameTakenError, CollectionService, CollectionsFullError
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.lib.pages import Page


class CollectionController(Controller):
    """Definitions; records are below each."""

    path = "/collections"
    tags = ("Collections",)
    request_max_body_size = CONTENT_BYTES

    @get()
    async def list_collections(
        self, actor: NamedDependency[Actor], collections: NamedDependency[CollectionService]
    ) -> Page[Collection]:
        """All collections; a workspace has few enough for one page."""
        found = await collections.list(actor)
        return Page(found, total=len(found))

    @post(guards=[needs(Permission.MANAGE_COLLECTIONS)])
    @raises(CollectionNameTakenError, CollectionsFullError)
    async def create_collection(
        self,
        actor: NamedDependency[Actor],
        collections: NamedDependency[CollectionService],
        data: JSONBody[NewCollection],
    ) -> Collection:
        """Define a collection with its fields."""
        return await collections.create(actor, data)

    @get("/{name:str}")
    async def get_collection(
        self, actor: NamedDependency[Actor], collections: NamedDependency[CollectionService], name: CollectionName
    ) -> Collection:
        """One collection and its fields."""
        return await collections.get(actor, name)

    @delete("/{name:str}", guards=[needs(Permission.MANAGE_COLLECTIONS)])
    async def delete_collection(
        self, actor: NamedDependency[Actor], collections: NamedDependency[CollectionService], name: CollectionName
    ) -> None:
        """Remove a collection and all its records."""
        await collections.delete(actor, name)
