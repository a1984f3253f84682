"""`/api/v1/me/email` and its confirmation."""

from typing import Any

from litestar import Controller, Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT
from vivero_web.declared import raises
from vivero_web.errors import LinkSpentError
from vivero_web.rate_limit import SECRETS, Counted
from vivero_web.request_context import caller_of

from vivero_data.domain.auth.guards import needs_person
from vivero_data.domain.email_changes.schemas import ConfirmedEmail, EmailChange, OwnersAddressError
from vivero_data.domain.email_changes.service import EmailChangeService
from vivero_data.domain.links.service import NoMailError
from vivero_data.domain.users.errors import EmailTakenError
from vivero_data.domain.users.schemas import Actor


class EmailChangeController(Controller):
    """The caller's address."""

    path = "/me/email"
    tags = ("Users",)

    @post(status_code=HTTP_202_ACCEPTED, guards=[needs_person])
    @raises(EmailTakenError, OwnersAddressError, NoMailError)
    async def ask_for_email_change(
        self,
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        email_changes: NamedDependency[EmailChangeService],
        data: JSONBody[EmailChange],
    ) -> None:
        """Mail a link to a new address; the account has it once the link was opened."""
        await email_changes.ask(actor, data, caller_of(request.scope))


class EmailConfirmationController(Controller):
    """Who opens the link need not be logged in there."""

    path = "/auth"
    tags = ("Authentication",)

    @post("/email", status_code=HTTP_204_NO_CONTENT, guards=[Counted(SECRETS)])
    @raises(LinkSpentError, EmailTakenError)
    async def confirm_email(
        self, email_changes: NamedDependency[EmailChangeService], data: JSONBody[ConfirmedEmail]
    ) -> None:
        """Give the account the address that the link was mailed to; it works once, within an hour."""
        try:
            await email_changes.confirm(data.token)
        except LinkSpentError as error:
            raise LinkSpentError("token") from error
