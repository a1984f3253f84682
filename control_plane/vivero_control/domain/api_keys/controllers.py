"""/api/v1/api-keys, for staff."""

from typing import Annotated

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from litestar.status_codes import HTTP_200_OK
from vivero_web.api_keys import ApiKeyChanges, Rotation, TooManyKeysError
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError
from vivero_web.fields import LARGEST

from vivero_control.domain.api_keys.schemas import CreatedStaffApiKey, NewStaffApiKey, StaffApiKey, StaffApiKeyList
from vivero_control.domain.api_keys.service import StaffApiKeys
from vivero_control.domain.staff.guards import NEEDS_PERSON, StaffRequest

KeyId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The key's number.")]


class StaffApiKeyController(Controller):
    """The caller's own keys; no key manages keys."""

    path = "/api-keys"
    tags = ("API keys",)
    opt = NEEDS_PERSON

    @get(summary="Your API keys")
    async def list_api_keys(self, request: StaffRequest, api_keys: NamedDependency[StaffApiKeys]) -> StaffApiKeyList:
        return await api_keys.all(request.user)

    @post(summary="Make a key")
    @raises(InvalidInputError, TooManyKeysError)
    async def make_api_key(
        self, request: StaffRequest, api_keys: NamedDependency[StaffApiKeys], data: JSONBody[NewStaffApiKey]
    ) -> CreatedStaffApiKey:
        """Only this answer has its secret."""
        return await api_keys.make(data, request.user)

    @get("/{key_id:int}", summary="One key")
    async def get_api_key(
        self, request: StaffRequest, api_keys: NamedDependency[StaffApiKeys], key_id: KeyId
    ) -> StaffApiKey:
        return await api_keys.get(key_id, request.user)

    @patch("/{key_id:int}", summary="Rename a key")
    @raises(InvalidInputError)
    async def change_api_key(
        self,
        request: StaffRequest,
        api_keys: NamedDependency[StaffApiKeys],
        key_id: KeyId,
        data: JSONBody[ApiKeyChanges],
    ) -> StaffApiKey:
        return await api_keys.change(key_id, data, request.user)

    @post("/{key_id:int}/rotate", status_code=HTTP_200_OK, summary="Give it another secret")
    async def rotate_api_key(
        self, request: StaffRequest, api_keys: NamedDependency[StaffApiKeys], key_id: KeyId, data: JSONBody[Rotation]
    ) -> CreatedStaffApiKey:
        """The one from before is good for a while as well, so that programs can change over."""
        return await api_keys.rotate(key_id, data, request.user)

    @delete("/{key_id:int}", summary="Revoke a key at once")
    async def revoke_api_key(
        self, request: StaffRequest, api_keys: NamedDependency[StaffApiKeys], key_id: KeyId
    ) -> None:
        await api_keys.revoke(key_id, request.user)
