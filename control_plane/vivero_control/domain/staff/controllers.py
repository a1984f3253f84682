"""Logins of staff over the API, and who is of the staff."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from vivero_web.declared import raises
from vivero_web.errors import LinkSpentError
from vivero_web.links import ChosenPassword, ForgottenPassword
from vivero_web.rate_limit import LOGOUTS, SECRETS, Counted
from vivero_web.request_context import caller_of
from vivero_web.second_factors import (
    ActiveAlreadyError,
    CodeNeededError,
    CodeProof,
    Enrolment,
    NotActiveError,
    PasswordProof,
    RecoveryCodes,
    SecondFactor,
    WrongCodeError,
)

from vivero_control.domain.staff.errors import (
    AcceptedError,
    DeactivatedError,
    EmailTakenError,
    InvalidTokenError,
    OwnAccountError,
    WrongLoginError,
)
from vivero_control.domain.staff.guards import NEEDS_PERSON, SETS_UP, StaffRequest, admins_only
from vivero_control.domain.staff.members import StaffMembers
from vivero_control.domain.staff.resets import StaffResets
from vivero_control.domain.staff.schemas import Login, Member, MemberChanges, NewMember, Refresh, Tokens
from vivero_control.domain.staff.second_factors import StaffSecondFactors
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.tokens import SESSION, StaffTokens

StaffId = Annotated[UUID, PathParameter(description="Id of a staff member.")]


class AuthController(Controller):
    """Tokens for programs, and the way back for who has forgotten the password."""

    path = "/auth"
    tags = ("Authentication",)

    @post("/login", status_code=200, summary="Log in")
    @raises(WrongLoginError, CodeNeededError, WrongCodeError)
    async def login(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[Login],
        staff: NamedDependency[StaffService],
        tokens: NamedDependency[StaffTokens],
    ) -> Tokens:
        """With a code where two-step login is active: without one the answer says that one is needed."""
        return await tokens.issue(await staff.login(data, caller_of(request.scope)))

    @post("/refresh", status_code=200, summary="Exchange a refresh token for a new pair", guards=[Counted(SECRETS)])
    @raises(InvalidTokenError)
    async def refresh(self, data: JSONBody[Refresh], tokens: NamedDependency[StaffTokens]) -> Tokens:
        return await tokens.exchange(data.refresh_token)

    @post("/logout", status_code=204, summary="End the login the refresh token belongs to", guards=[Counted(LOGOUTS)])
    async def logout(self, data: JSONBody[Refresh], tokens: NamedDependency[StaffTokens]) -> None:
        await tokens.end(data.refresh_token)

    @post("/forgotten-password", status_code=204, summary="Ask for a link by mail")
    async def ask_for_reset(
        self, request: Request[Any, Any, Any], data: JSONBody[ForgottenPassword], resets: NamedDependency[StaffResets]
    ) -> None:
        """The answer is the same whether somebody has this address or not."""
        await resets.ask(data.email, caller_of(request.scope))

    @put("/password", status_code=204, summary="Set the password by such a link", guards=[Counted(SECRETS)])
    @raises(LinkSpentError)
    async def choose_password(
        self, request: Request[Any, Any, Any], data: JSONBody[ChosenPassword], resets: NamedDependency[StaffResets]
    ) -> None:
        """It works once, and ends every login."""
        await resets.choose(data, caller_of(request.scope))


class SecondFactorController(Controller):
    """Codes of an authenticator app at the caller's logins (RFC 6238)."""

    path = "/auth/second-factor"
    tags = ("Authentication",)
    opt = SETS_UP | NEEDS_PERSON

    @get(summary="Whether logins need a code")
    async def get_second_factor(
        self, request: StaffRequest, second_factors: NamedDependency[StaffSecondFactors]
    ) -> SecondFactor:
        return await second_factors.get(request.user)

    @post(status_code=200, summary="Begin to set it up")
    @raises(ActiveAlreadyError)
    async def begin_second_factor(
        self, request: StaffRequest, data: JSONBody[PasswordProof], second_factors: NamedDependency[StaffSecondFactors]
    ) -> Enrolment:
        """A secret for an authenticator app; logins stay as they are until a code of it is confirmed."""
        return await second_factors.begin(request.user, data.current_password, caller_of(request.scope))

    @post("/confirm", status_code=200, summary="Turn it on, with a code")
    @raises(ActiveAlreadyError, NotActiveError)
    async def confirm_second_factor(
        self, request: StaffRequest, data: JSONBody[CodeProof], second_factors: NamedDependency[StaffSecondFactors]
    ) -> RecoveryCodes:
        """From now on logins need a code; the caller's other logins end."""
        changed = await second_factors.confirm(request.user, data.code, but=_login_of(request))
        return RecoveryCodes(changed.recovery_codes)

    @post("/recovery-codes", status_code=200, summary="Other recovery codes")
    @raises(NotActiveError)
    async def renew_recovery_codes(
        self, request: StaffRequest, data: JSONBody[PasswordProof], second_factors: NamedDependency[StaffSecondFactors]
    ) -> RecoveryCodes:
        """In the place of those there are."""
        return RecoveryCodes(
            await second_factors.renew_codes(request.user, data.current_password, caller_of(request.scope))
        )

    @post("/end", status_code=204, summary="Turn it off")
    @raises(NotActiveError)
    async def end_second_factor(
        self, request: StaffRequest, data: JSONBody[PasswordProof], second_factors: NamedDependency[StaffSecondFactors]
    ) -> None:
        """Logins need the password alone; the caller's other logins end."""
        await second_factors.end(request.user, data.current_password, caller_of(request.scope), but=_login_of(request))


def _login_of(request: StaffRequest) -> UUID:
    """The login that the request is made with."""
    return UUID(str(request.auth.extras[SESSION]))


class MemberController(Controller):
    """Who is of the staff, for admins."""

    path = "/staff"
    tags = ("Staff",)
    guards = (admins_only,)
    opt = NEEDS_PERSON

    @get(summary="Everybody, by address")
    async def list_members(self, members: NamedDependency[StaffMembers]) -> tuple[Member, ...]:
        """Invited and deactivated people are among them."""
        return await members.all()

    @post(summary="Invite somebody")
    @raises(EmailTakenError)
    async def invite_member(
        self, request: StaffRequest, members: NamedDependency[StaffMembers], data: JSONBody[NewMember]
    ) -> Member:
        """They get a mail with a link to choose a password, good for seven days."""
        return await members.invite(request.user, data)

    @get("/{staff_id:uuid}", summary="One of them")
    async def get_member(self, members: NamedDependency[StaffMembers], staff_id: StaffId) -> Member:
        return await members.get(staff_id)

    @patch("/{staff_id:uuid}", summary="Give another role, deactivate, activate")
    @raises(OwnAccountError)
    async def change_member(
        self,
        request: StaffRequest,
        members: NamedDependency[StaffMembers],
        staff_id: StaffId,
        data: JSONBody[MemberChanges],
    ) -> Member:
        """A deactivation ends every login at once; who is activated again gets a link to choose a new password."""
        return await members.change(request.user, staff_id, data)

    @post("/{staff_id:uuid}/invitation", status_code=200, summary="Send the invitation again")
    @raises(AcceptedError, DeactivatedError)
    async def repeat_invitation(
        self, request: StaffRequest, members: NamedDependency[StaffMembers], staff_id: StaffId
    ) -> Member:
        """The link before opens nothing from now on."""
        return await members.invite_again(request.user, staff_id)

    @delete("/{staff_id:uuid}/invitation", summary="Withdraw the invitation")
    @raises(AcceptedError, DeactivatedError)
    async def withdraw_invitation(
        self, request: StaffRequest, members: NamedDependency[StaffMembers], staff_id: StaffId
    ) -> None:
        """The account goes, and its link opens nothing any more."""
        await members.withdraw(request.user, staff_id)

    @delete("/{staff_id:uuid}/second-factor", summary="End somebody's two-step login")
    @raises(OwnAccountError, NotActiveError)
    async def reset_second_factor(
        self, request: StaffRequest, members: NamedDependency[StaffMembers], staff_id: StaffId
    ) -> None:
        """For who has lost phone and recovery codes: their logins end, and the next one needs the password alone."""
        await members.reset_second_factor(request.user, staff_id)
