"""Logins of staff over the API."""

from typing import Any

from litestar import Controller, Request, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody
from vivero_web.problem import MEDIA_TYPE, Problem
from vivero_web.request_context import caller_of

from vivero_control.domain.staff.schemas import Login, Refresh, Tokens
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.tokens import StaffTokens

_PROBLEMS = {
    401: ResponseSpec(Problem, media_type=MEDIA_TYPE, description="The login or token is not valid."),
    429: ResponseSpec(Problem, media_type=MEDIA_TYPE, description="Too many attempts; see Retry-After."),
}


class AuthController(Controller):
    """Tokens for programs."""

    path = "/auth"
    tags = ("Staff",)

    @post("/login", status_code=200, summary="Log in", responses=_PROBLEMS)
    async def login(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[Login],
        staff: NamedDependency[StaffService],
        tokens: NamedDependency[StaffTokens],
    ) -> Tokens:
        return await tokens.issue(await staff.login(data, caller_of(request.scope)))

    @post("/refresh", status_code=200, summary="Exchange a refresh token for a new pair", responses=_PROBLEMS)
    async def refresh(self, data: JSONBody[Refresh], tokens: NamedDependency[StaffTokens]) -> Tokens:
        return await tokens.exchange(data.refresh_token)

    @post("/logout", status_code=204, summary="End the login the refresh token belongs to")
    async def logout(self, data: JSONBody[Refresh], tokens: NamedDependency[StaffTokens]) -> None:
        await tokens.end(data.refresh_token)
