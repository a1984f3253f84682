"""`/api/v1/auth/…`: password reset. Needs no access token, and does not reveal which accounts exist."""

from litestar import Controller, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT
from vivero_web.declared import raises
from vivero_web.errors import LinkSpentError
from vivero_web.links import ChosenPassword, ForgottenPassword
from vivero_web.rate_limit import SECRETS, Counted
from vivero_web.request_context import caller_of

from vivero_data.domain.auth.guards import AnyRequest
from vivero_data.domain.links.service import NoMailError
from vivero_data.domain.recovery.service import RecoveryService


class RecoveryController(Controller):
    """Password reset, without a login."""

    path = "/auth"
    tags = ("Authentication",)

    @post("/forgotten-password", status_code=HTTP_204_NO_CONTENT)
    @raises(NoMailError)
    async def ask_for_reset(
        self, request: AnyRequest, data: JSONBody[ForgottenPassword], recovery: NamedDependency[RecoveryService]
    ) -> None:
        """Request a reset link by mail; the response is the same whether or not the account exists."""
        await recovery.forgotten(data.email, caller_of(request.scope))

    @put("/password", status_code=HTTP_204_NO_CONTENT, guards=[Counted(SECRETS)])
    @raises(LinkSpentError)
    async def choose_password(
        self, request: AnyRequest, data: JSONBody[ChosenPassword], recovery: NamedDependency[RecoveryService]
    ) -> None:
        """Set the password with the link of a reset or an invitation; it works once, and ends every session."""
        await recovery.choose(data, caller_of(request.scope))
