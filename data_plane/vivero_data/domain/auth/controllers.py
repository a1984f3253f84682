"""`/api/v1/auth`: logging in, refreshing and logging out."""

from typing import Any

from litestar import Controller, Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from vivero_data.domain.auth.schemas import Credentials, RefreshRequest
from vivero_data.domain.auth.service import AuthService
from vivero_data.lib.request_context import client_address_of
from vivero_data.lib.tokens import Tokens


class AuthController(Controller):
    """The only part of the API that needs no access token."""

    path = "/auth"
    tags = ("Authentication",)

    @post("/login", status_code=HTTP_200_OK)
    async def login(
        self, request: Request[Any, Any, Any], data: JSONBody[Credentials], auth: NamedDependency[AuthService]
    ) -> Tokens:
        """Exchange e-mail and password for tokens."""
        return await auth.login(data, client_address_of(request.scope))

    @post("/refresh", status_code=HTTP_200_OK)
    async def refresh(self, data: JSONBody[RefreshRequest], auth: NamedDependency[AuthService]) -> Tokens:
        """Exchange a refresh token for new tokens; it works once."""
        return await auth.refresh(data.refresh_token)

    @post("/logout", status_code=HTTP_204_NO_CONTENT)
    async def logout(self, data: JSONBody[RefreshRequest], auth: NamedDependency[AuthService]) -> None:
        """End the session that the refresh token belongs to."""
        await auth.logout(data.refresh_token)
