"""`/api/v1/invitations`: members by mail."""

from litestar import Controller, delete, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.invitations.service import AcceptedError, DeactivatedError, InvitationService, NewInvitation
from vivero_data.domain.links.service import NoMailError
from vivero_data.domain.users.errors import EmailTakenError
from vivero_data.domain.users.schemas import Actor, Permission, User, UserId
from vivero_data.errors import OwnerUnconfirmedError, PlanLimitError


class InvitationController(Controller):
    """For admins and owners; invited users are listed with the users."""

    path = "/invitations"
    tags = ("Users",)

    @post(guards=[needs(Permission.MANAGE_USERS)])
    @raises(NoMailError, OwnerUnconfirmedError, EmailTakenError, PlanLimitError)
    async def invite(
        self,
        actor: NamedDependency[Actor],
        invitations: NamedDependency[InvitationService],
        data: JSONBody[NewInvitation],
    ) -> User:
        """Add an account without a password and mail a link to choose one, good for seven days."""
        return await invitations.invite(actor, data)

    @post("/{user_id:int}", status_code=HTTP_200_OK, guards=[needs(Permission.MANAGE_USERS)])
    @raises(AcceptedError, DeactivatedError, NoMailError, OwnerUnconfirmedError)
    async def repeat_invitation(
        self, actor: NamedDependency[Actor], invitations: NamedDependency[InvitationService], user_id: UserId
    ) -> User:
        """Mail a new link; the previous one becomes invalid."""
        return await invitations.repeat(actor, user_id)

    @delete("/{user_id:int}", guards=[needs(Permission.MANAGE_USERS)])
    @raises(AcceptedError)
    async def withdraw_invitation(
        self, actor: NamedDependency[Actor], invitations: NamedDependency[InvitationService], user_id: UserId
    ) -> None:
        """Remove the account of an invited user who has not accepted."""
        await invitations.withdraw(actor, user_id)
