"""`/api/v1/me/second-factor`, and ending that of another."""

from typing import Any

from litestar import Controller, Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from vivero_web.declared import raises
from vivero_web.request_context import caller_of
from vivero_web.second_factors import (
    ActiveAlreadyError,
    CodeProof,
    Enrolment,
    NotActiveError,
    PasswordProof,
    RecoveryCodes,
    SecondFactor,
)

from vivero_data.domain.auth.guards import SETS_UP, needs, needs_person
from vivero_data.domain.second_factors.schemas import LoginRules, OwnFactorFirstError
from vivero_data.domain.second_factors.service import SecondFactorService
from vivero_data.domain.users.schemas import Actor, Permission, UserId


class SecondFactorController(Controller):
    """Codes of an authenticator app at the caller's logins (RFC 6238)."""

    path = "/me/second-factor"
    tags = ("Authentication",)
    guards = (needs_person,)
    opt = SETS_UP

    @get()
    async def get_second_factor(
        self, actor: NamedDependency[Actor], second_factors: NamedDependency[SecondFactorService]
    ) -> SecondFactor:
        """Whether the caller's logins need a code."""
        return await second_factors.get(actor)

    @post(status_code=HTTP_200_OK)
    @raises(ActiveAlreadyError)
    async def begin_second_factor(
        self,
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        second_factors: NamedDependency[SecondFactorService],
        data: JSONBody[PasswordProof],
    ) -> Enrolment:
        """A secret for an authenticator app; logins stay as they are until a code of it is confirmed."""
        return await second_factors.begin(actor, data.current_password, caller_of(request.scope))

    @post("/confirm", status_code=HTTP_200_OK)
    @raises(ActiveAlreadyError, NotActiveError)
    async def confirm_second_factor(
        self,
        actor: NamedDependency[Actor],
        second_factors: NamedDependency[SecondFactorService],
        data: JSONBody[CodeProof],
    ) -> RecoveryCodes:
        """From now on logins need a code; the caller's other sessions end."""
        return RecoveryCodes(await second_factors.confirm(actor, data.code))

    @post("/recovery-codes", status_code=HTTP_200_OK)
    @raises(NotActiveError)
    async def renew_recovery_codes(
        self,
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        second_factors: NamedDependency[SecondFactorService],
        data: JSONBody[PasswordProof],
    ) -> RecoveryCodes:
        """Other recovery codes in the place of those there are."""
        return RecoveryCodes(await second_factors.renew_codes(actor, data.current_password, caller_of(request.scope)))

    @post("/end", status_code=HTTP_204_NO_CONTENT)
    @raises(NotActiveError)
    async def end_second_factor(
        self,
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        second_factors: NamedDependency[SecondFactorService],
        data: JSONBody[PasswordProof],
    ) -> None:
        """Logins need the password alone."""
        await second_factors.end(actor, data.current_password, caller_of(request.scope))


class LoginRulesController(Controller):
    """What holds for the logins of everybody."""

    path = "/workspace/login-rules"
    tags = ("Workspace",)

    @get()
    async def get_login_rules(
        self, actor: NamedDependency[Actor], second_factors: NamedDependency[SecondFactorService]
    ) -> LoginRules:
        """Whether everybody needs two-step login."""
        return await second_factors.rules(actor)

    @put(guards=[needs(Permission.MANAGE_ADMINS), needs_person])
    @raises(OwnFactorFirstError)
    async def change_login_rules(
        self,
        actor: NamedDependency[Actor],
        second_factors: NamedDependency[SecondFactorService],
        data: JSONBody[LoginRules],
    ) -> LoginRules:
        """Require two-step login of everybody, or of nobody; who requires it has set it up before."""
        return await second_factors.change_rules(actor, data)


class OthersSecondFactorController(Controller):
    """For who lost phone and recovery codes."""

    path = "/users/{user_id:int}/second-factor"
    tags = ("Users",)

    @delete(guards=[needs(Permission.MANAGE_USERS)])
    async def reset_second_factor(
        self,
        actor: NamedDependency[Actor],
        second_factors: NamedDependency[SecondFactorService],
        user_id: UserId,
    ) -> None:
        """Logins of this user need the password alone."""
        await second_factors.reset(actor, user_id)
