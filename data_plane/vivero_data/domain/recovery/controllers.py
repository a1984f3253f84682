"""`/api/v1/auth/…`: password reset. Needs no access token, and does not reveal which accounts exist."""

from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT
from vivero_web.declared import raises
from vivero_web.errors import LinkSpentError
from vivero_web.fields import SECRET_MAX, NewPassword
from vivero_web.links import ChosenPassword, ForgottenPassword
from vivero_web.rate_limit import SECRETS, Counted
from vivero_web.request_context import caller_of

from vivero_data.domain.auth.guards import AnyRequest
from vivero_data.domain.links.service import NoMailError
from vivero_data.domain.recovery.service import RecoveryService


class PasswordByLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password, proven by what was mailed."""

    token: Annotated[
        str, msgspec.Meta(max_length=SECRET_MAX, description="The link that was mailed, or what follows its `#`.")
    ]
    password: NewPassword

    def __repr__(self) -> str:
        """Without either: a repr ends in logs."""
        return "PasswordByLink(…)"


class RecoveryController(Controller):
    """Password reset, without a login."""

    path = "/auth"
    tags = ("Authentication",)

    @post("/password-reset", status_code=HTTP_202_ACCEPTED)
    @raises(NoMailError)
    async def ask_for_reset(
        self, request: AnyRequest, data: JSONBody[ForgottenPassword], recovery: NamedDependency[RecoveryService]
    ) -> None:
        """Request a reset link by mail; the response is the same whether or not the account exists."""
        await recovery.forgotten(data.email, caller_of(request.scope))

    @post("/password", status_code=HTTP_204_NO_CONTENT, guards=[Counted(SECRETS)])
    @raises(LinkSpentError)
    async def choose_password(
        self, request: AnyRequest, data: JSONBody[PasswordByLink], recovery: NamedDependency[RecoveryService]
    ) -> None:
        """Set the password with the link of a reset or an invitation; it works once, and ends every session."""
        try:
            await recovery.choose(ChosenPassword(data.token, data.password), caller_of(request.scope))
        except LinkSpentError as error:
            raise LinkSpentError("token") from error
