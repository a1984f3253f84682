"""`/api/v1/auth`: logging in, refreshing and logging out."""

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from vivero_web.doors import LOGOUTS, SECRETS, Counted
from vivero_web.errors import InvalidInputError
from vivero_web.request_context import caller_of

from vivero_data.domain.auth.guards import PUBLIC, AnyRequest, provide_actor
from vivero_data.domain.auth.schemas import Credentials, LogoutRequest, RefreshRequest
from vivero_data.domain.auth.service import AuthService
from vivero_data.lib.tokens import Tokens


class AuthController(Controller):
    """Needs no access token; nor does the way back for who has forgotten the password (domain/recovery)."""

    path = "/auth"
    tags = ("Authentication",)
    opt = {PUBLIC: True}  # noqa: RUF012  Litestar copies it

    @post("/login", status_code=HTTP_200_OK)
    async def login(
        self, request: AnyRequest, data: JSONBody[Credentials], auth: NamedDependency[AuthService]
    ) -> Tokens:
        """Exchange e-mail and password for tokens."""
        return await auth.login(data, caller_of(request.scope))

    @post("/refresh", status_code=HTTP_200_OK, guards=[Counted(SECRETS)])
    async def refresh(self, data: JSONBody[RefreshRequest], auth: NamedDependency[AuthService]) -> Tokens:
        """Exchange a refresh token for new tokens; it works once."""
        return await auth.refresh(data.refresh_token)

    @post("/logout", status_code=HTTP_204_NO_CONTENT, guards=[Counted(LOGOUTS)])
    async def logout(self, request: AnyRequest, auth: NamedDependency[AuthService]) -> None:
        """End the session of the refresh token in the body, or else of the access token in the header."""
        token = _sent_token(await request.body())
        if token:
            await auth.logout(token)
        elif request.headers.get("authorization"):
            await auth.end_session(await provide_actor(request, auth))


def _sent_token(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=LogoutRequest).refresh_token if body else None
    except msgspec.MsgspecError as error:
        raise InvalidInputError.of("refresh_token", "must be a text in a JSON object") from error
