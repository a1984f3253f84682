"""`/api/v1/invitations`: members by mail."""

from litestar import Controller, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.invitations.schemas import NewInvitation
from vivero_data.domain.invitations.service import InvitationService
from vivero_data.domain.users.schemas import Actor, Role, User


class InvitationController(Controller):
    """For admins and owners; who is invited is listed with the users."""

    path = "/invitations"
    tags = ("Users",)

    @post(guards=[needs(Role.ADMIN)])
    async def invite(
        self,
        actor: NamedDependency[Actor],
        invitations: NamedDependency[InvitationService],
        data: JSONBody[NewInvitation],
    ) -> User:
        """Add an account without a password and mail a link to choose one, good for seven days."""
        return await invitations.invite(actor, data)

    @post("/{user_id:int}", status_code=HTTP_200_OK, guards=[needs(Role.ADMIN)])
    async def repeat(
        self, actor: NamedDependency[Actor], invitations: NamedDependency[InvitationService], user_id: FromPath[int]
    ) -> User:
        """Mail a new link; the one before opens nothing any more."""
        return await invitations.repeat(actor, user_id)

    @delete("/{user_id:int}", guards=[needs(Role.ADMIN)])
    async def withdraw(
        self, actor: NamedDependency[Actor], invitations: NamedDependency[InvitationService], user_id: FromPath[int]
    ) -> None:
        """Remove the account of somebody who has not accepted."""
        await invitations.withdraw(actor, user_id)
