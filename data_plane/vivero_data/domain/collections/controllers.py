"""`/api/v1/collections`."""

from typing import Annotated

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.collections.changes import ChangedMeanwhileError, DuplicatesError
from vivero_data.domain.collections.fields import FieldNotFoundError, FieldService, LastFieldError
from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import (
    APART,
    CONTENT_BYTES,
    Collection,
    CollectionChanges,
    CollectionName,
    FieldChange,
    FieldChanges,
    NewCollection,
    NewField,
)
from vivero_data.domain.collections.service import CollectionNameTakenError, CollectionService, CollectionsFullError
from vivero_data.domain.jobs.service import JobsFullError
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.lib.pages import Page

FieldName = Annotated[
    str, PathParameter(min_length=1, max_length=MAX_NAME * APART, description="The field's name, in any case.")
]
Preview = Annotated[bool, QueryParameter(description="Change nothing, and say what would happen.")]


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
        """Put a collection and all its records into the trash."""
        await collections.delete(actor, name)

    @patch("/{name:str}", guards=[needs(Permission.MANAGE_COLLECTIONS)])
    @raises(CollectionNameTakenError)
    async def change_collection(
        self,
        actor: NamedDependency[Actor],
        fields: NamedDependency[FieldService],
        name: CollectionName,
        data: JSONBody[CollectionChanges],
        preview: Preview = False,  # noqa: FBT002  a parameter of the address
    ) -> Collection:
        """Change a collection's name, description or order of fields."""
        return await fields.edit(actor, name, data, preview=preview)

    @post("/{name:str}/fields", guards=[needs(Permission.MANAGE_COLLECTIONS)])
    @raises(JobsFullError)
    async def add_field(
        self,
        actor: NamedDependency[Actor],
        fields: NamedDependency[FieldService],
        name: CollectionName,
        data: JSONBody[NewField],
        preview: Preview = False,  # noqa: FBT002  a parameter of the address
    ) -> FieldChange:
        """Add a field, empty in every record."""
        return await fields.add(actor, name, data, preview=preview)

    @patch("/{name:str}/fields/{field:str}", guards=[needs(Permission.MANAGE_COLLECTIONS)])
    @raises(FieldNotFoundError, ChangedMeanwhileError, DuplicatesError, JobsFullError)
    async def change_field(  # noqa: PLR0913, PLR0917  what Litestar gives
        self,
        actor: NamedDependency[Actor],
        fields: NamedDependency[FieldService],
        name: CollectionName,
        field: FieldName,
        data: JSONBody[FieldChanges],
        preview: Preview = False,  # noqa: FBT002  a parameter of the address
    ) -> FieldChange:
        """Change a field; values that its new type cannot hold become empty until that is undone."""
        return await fields.change(actor, name, field, data, preview=preview)

    @delete("/{name:str}/fields/{field:str}", guards=[needs(Permission.MANAGE_COLLECTIONS)], status_code=HTTP_200_OK)
    @raises(FieldNotFoundError, ChangedMeanwhileError, LastFieldError)
    async def delete_field(
        self,
        actor: NamedDependency[Actor],
        fields: NamedDependency[FieldService],
        name: CollectionName,
        field: FieldName,
        preview: Preview = False,  # noqa: FBT002  a parameter of the address
    ) -> FieldChange:
        """Put a field with its values into the trash."""
        return await fields.delete(actor, name, field, preview=preview)
