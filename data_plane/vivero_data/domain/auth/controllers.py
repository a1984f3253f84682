"""`/api/v1/auth`: logging in, refreshing and logging out."""

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from vivero_web.declared import raises
from vivero_web.errors import NotSignedInError
from vivero_web.rate_limit import LOGOUTS, SECRETS, Counted
from vivero_web.request_context import caller_of
from vivero_web.second_factors import CodeNeededError, WrongCodeError

from vivero_data.domain.auth.guards import BEARER_OR_COOKIE, ENDS, AnyRequest, provide_actor
from vivero_data.domain.auth.schemas import (
    Credentials,
    LogoutRequest,
    RefreshRequest,
    SessionEndedError,
    WrongCredentialsError,
)
from vivero_data.domain.auth.service import AuthService
from vivero_data.lib.tokens import Tokens


class AuthController(Controller):
    """Routes without an access token; password reset (domain/recovery) needs none either."""

    path = "/auth"
    tags = ("Authentication",)

    @post("/login", status_code=HTTP_200_OK)
    @raises(WrongCredentialsError, CodeNeededError, WrongCodeError)
    async def login(
        self, request: AnyRequest, data: JSONBody[Credentials], auth: NamedDependency[AuthService]
    ) -> Tokens:
        """Exchange e-mail and password for tokens, with a code where two-step login is active."""
        return await auth.login(data, caller_of(request.scope))

    @post("/refresh", status_code=HTTP_200_OK, guards=[Counted(SECRETS)])
    @raises(SessionEndedError)
    async def refresh(self, data: JSONBody[RefreshRequest], auth: NamedDependency[AuthService]) -> Tokens:
        """Exchange a refresh token for new tokens; it works once."""
        return await auth.refresh(data.refresh_token)

    @post(
        "/logout",
        status_code=HTTP_204_NO_CONTENT,
        security=[{}, *BEARER_OR_COOKIE],
        guards=[Counted(LOGOUTS)],
        opt=ENDS,
    )
    @raises(NotSignedInError)
    async def logout(
        self, request: AnyRequest, auth: NamedDependency[AuthService], data: JSONBody[LogoutRequest | None] = None
    ) -> None:
        """End the session of the refresh token in the body, or else of the access token in the header."""
        if data and data.refresh_token:
            await auth.logout(data.refresh_token)
        elif request.headers.get("authorization"):
            await auth.end_session(await provide_actor(request, auth))
