"""Logins of staff over the API."""

from typing import Any

from litestar import Controller, Request, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from vivero_web.declared import raises
from vivero_web.errors import LinkSpentError
from vivero_web.links import ChosenPassword, ForgottenPassword
from vivero_web.request_context import caller_of

from vivero_control.domain.staff.errors import InvalidTokenError, WrongLoginError
from vivero_control.domain.staff.resets import StaffResets
from vivero_control.domain.staff.schemas import Login, Refresh, Tokens
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.tokens import StaffTokens


class AuthController(Controller):
    """Tokens for programs, and the way back for who has forgotten the password."""

    path = "/auth"
    tags = ("Staff",)

    @post("/login", status_code=200, summary="Log in")
    @raises(WrongLoginError)
    async def login(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[Login],
        staff: NamedDependency[StaffService],
        tokens: NamedDependency[StaffTokens],
    ) -> Tokens:
        return await tokens.issue(await staff.login(data, caller_of(request.scope)))

    @post("/refresh", status_code=200, summary="Exchange a refresh token for a new pair")
    @raises(InvalidTokenError)
    async def refresh(self, data: JSONBody[Refresh], tokens: NamedDependency[StaffTokens]) -> Tokens:
        return await tokens.exchange(data.refresh_token)

    @post("/logout", status_code=204, summary="End the login the refresh token belongs to")
    async def logout(self, data: JSONBody[Refresh], tokens: NamedDependency[StaffTokens]) -> None:
        await tokens.end(data.refresh_token)

    @post("/forgotten-password", status_code=204, summary="Ask for a link by mail")
    async def ask_for_reset(
        self, request: Request[Any, Any, Any], data: JSONBody[ForgottenPassword], resets: NamedDependency[StaffResets]
    ) -> None:
        """The answer is the same whether somebody has this address or not."""
        await resets.ask(data.email, caller_of(request.scope))

    @put("/password", status_code=204, summary="Set the password by such a link")
    @raises(LinkSpentError)
    async def choose_password(
        self, request: Request[Any, Any, Any], data: JSONBody[ChosenPassword], resets: NamedDependency[StaffResets]
    ) -> None:
        """It works once, and ends every login."""
        await resets.choose(data, caller_of(request.scope))
