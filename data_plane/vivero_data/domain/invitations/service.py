"""Invitations by mail: an account without a password, and a link to choose one.

Invited users count against the plan from the invitation on, so that accepting it
cannot fail at the plan's limit.
"""

import msgspec
from vivero_web.errors import ConflictError, InvalidInputError
from vivero_web.fields import Email, PersonName
from vivero_web.limiter import Limiter
from vivero_web.links import of_invitations, to_recipient
from vivero_web.passwords import NO_PASSWORD
from vivero_web.text import tidy

from vivero_data.clients.mail import Mailer
from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.limits.service import LimitService, require_confirmed
from vivero_data.domain.links.repository import Purpose
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.errors import EmailTakenError
from vivero_data.domain.users.schemas import Actor, OwnRoleNumber, Role, User, require_may_assign
from vivero_data.domain.users.service import found, given_role, person_errors, visible


class NewInvitation(msgspec.Struct, forbid_unknown_fields=True):
    """An account whose user chooses the password, by a link in a mail."""

    email: Email
    name: PersonName = ""
    role: Role = Role.MEMBER
    own_role: OwnRoleNumber = None


class AcceptedError(ConflictError):
    """The invitation was accepted, so it can be neither sent again nor withdrawn."""

    def __init__(self) -> None:
        super().__init__("This user has a password already.")


class DeactivatedError(ConflictError):
    """A deactivated user could not use the link."""

    def __init__(self) -> None:
        super().__init__("This user is deactivated; reactivate them first.")


class InvitationService:
    """For admins, who invite members and viewers, and owners, who invite anybody."""

    def __init__(
        self, database: Database, limits: LimitService, link_service: LinkService, mailer: Mailer, limiter: Limiter
    ) -> None:
        self._database = database
        self._limits = limits
        self._links = link_service
        self._mailer = mailer
        self._limiter = limiter

    async def invite(self, actor: Actor, new: NewInvitation) -> User:
        """Add a member without a password, and mail the link.

        Raises:
            InvalidInputError: naming every field at fault.
            NoMailError: this workspace sends no mail.
            OwnerUnconfirmedError: it mails nothing to other people yet.
            EmailTakenError: an account has this address, invited or not.
            PlanLimitError: the plan's limit of users is reached.
            TooManyRequestsError: too many invitations.
        """
        require_may_assign(actor, None, new.role)
        require_confirmed(self._limits.current)
        await self._links.require_available()
        email, name = new.email.strip(), tidy(new.name)
        errors = person_errors(email, name)
        if errors:
            raise InvalidInputError.of_all(errors)
        await self._limiter.count_all(of_invitations(), to_recipient(email))
        async with self._database.transaction() as tx:
            await self._limits.reserve(tx, "users")
            role, own = await given_role(tx, new.role, new.own_role)
            try:
                user_id = await users.insert(tx, email.lower(), name, role, NO_PASSWORD, own)
            except DuplicateKeyError as error:
                raise EmailTakenError from error
            user, secret = await self._issue(tx, actor, user_id)
        self._mailer.send_in_background(self._links.mail_invitation(secret, user.email, actor.email))
        return user

    async def repeat(self, actor: Actor, user_id: int) -> User:
        """Mail a new link; the previous one becomes invalid.

        Raises:
            AcceptedError: the user has a password.
            DeactivatedError: they could not use it.
            NoMailError: this workspace sends no mail.
            OwnerUnconfirmedError: it mails nothing to other people yet.
            TooManyRequestsError: too many invitations.
        """
        require_confirmed(self._limits.current)
        await self._links.require_available()
        async with self._database.read() as connection:
            known = _pending(actor, await users.get(connection, user_id))
        if not known.active:
            raise DeactivatedError
        await self._limiter.count_all(of_invitations(), to_recipient(known.email))
        async with self._database.transaction() as tx:
            _pending(actor, await users.get_locked(tx, user_id))
            user, secret = await self._issue(tx, actor, user_id)
        self._mailer.send_in_background(self._links.mail_invitation(secret, user.email, actor.email))
        return user

    async def withdraw(self, actor: Actor, user_id: int) -> None:
        """Remove the invited account; the link becomes invalid.

        Raises:
            AcceptedError: the user has a password.
        """
        async with self._database.transaction() as tx:
            # Lock order: the counter's row comes first in every transaction that needs it.
            await self._limits.hold(tx, "users")
            user = _pending(actor, await users.get_locked(tx, user_id))
            await users.delete(tx, user_id)
            if user.active:
                await self._limits.release(tx, "users")
            await record(tx, actor, "user.withdraw_invitation", user.email, before=visible(user), name=user.name)

    async def _issue(self, tx: Connection, actor: Actor, user_id: int) -> tuple[User, str]:
        secret = await self._links.issue(tx, user_id, Purpose.INVITATION)
        user = found(await users.get(tx, user_id))
        await record(tx, actor, "user.invite", user.email, after=visible(user), name=user.name)
        return user, secret


def _pending(actor: Actor, user: User | None) -> User:
    """The user, if invited and if the actor may assign their role."""
    known = found(user)
    require_may_assign(actor, known.role, known.role)
    if known.invitation is None:
        raise AcceptedError
    return known
