"""`/api/v1/api-keys`."""

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK
from vivero_web.api_keys import ApiKeyChanges, Rotation, TooManyKeysError
from vivero_web.declared import raises

from vivero_data.domain.api_keys.schemas import ApiKey, CreatedApiKey, KeyId, NewApiKey
from vivero_data.domain.api_keys.service import ApiKeyService
from vivero_data.domain.auth.guards import needs_person
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class ApiKeyController(Controller):
    """The caller's own keys; no key manages keys."""

    path = "/api-keys"
    tags = ("API keys",)
    guards = (needs_person,)

    @get()
    async def list_api_keys(
        self,
        actor: NamedDependency[Actor],
        api_keys: NamedDependency[ApiKeyService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[ApiKey]:
        """A page of the caller's keys, newest first."""
        return await api_keys.list(actor, limit, cursor)

    @post()
    @raises(TooManyKeysError)
    async def create_api_key(
        self, actor: NamedDependency[Actor], api_keys: NamedDependency[ApiKeyService], data: JSONBody[NewApiKey]
    ) -> CreatedApiKey:
        """Make a key; only this answer has its secret."""
        return await api_keys.create(actor, data)

    @get("/{key_id:int}")
    async def get_api_key(
        self, actor: NamedDependency[Actor], api_keys: NamedDependency[ApiKeyService], key_id: KeyId
    ) -> ApiKey:
        """One key."""
        return await api_keys.get(actor, key_id)

    @patch("/{key_id:int}")
    async def change_api_key(
        self,
        actor: NamedDependency[Actor],
        api_keys: NamedDependency[ApiKeyService],
        key_id: KeyId,
        data: JSONBody[ApiKeyChanges],
    ) -> ApiKey:
        """Rename a key."""
        return await api_keys.change(actor, key_id, data)

    @post("/{key_id:int}/rotate", status_code=HTTP_200_OK)
    async def rotate_api_key(
        self,
        actor: NamedDependency[Actor],
        api_keys: NamedDependency[ApiKeyService],
        key_id: KeyId,
        data: JSONBody[Rotation],
    ) -> CreatedApiKey:
        """Make another secret; the one from before is good for a while as well, so that programs can change over."""
        return await api_keys.rotate(actor, key_id, data)

    @delete("/{key_id:int}")
    async def delete_api_key(
        self, actor: NamedDependency[Actor], api_keys: NamedDependency[ApiKeyService], key_id: KeyId
    ) -> None:
        """Revoke a key at once."""
        await api_keys.delete(actor, key_id)
