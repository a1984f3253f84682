"""Another e-mail address of one's own: asked for with the password, confirmed at the new one, told to the old one."""

from vivero_web import clock
from vivero_web.errors import InvalidInputError, LinkSpentError
from vivero_web.limiter import Limiter
from vivero_web.links import RESET_VALID_FOR, secret_in, to_recipient
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.text import email_problem
from vivero_web.tokens import digest, new_secret

from vivero_data.clients.mail import Mailer
from vivero_data.db.database import Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.email_changes import repository
from vivero_data.domain.email_changes.schemas import EmailChange, OwnersAddressError
from vivero_data.domain.links import repository as links
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.errors import EmailTakenError
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.domain.users.service import normal_email


class EmailChangeService:
    """The caller's own address; who confirms it need not be logged in."""

    def __init__(  # noqa: PLR0913, PLR0917  its dependencies
        self,
        database: Database,
        passwords: Passwords,
        logins: Logins,
        link_service: LinkService,
        mailer: Mailer,
        limiter: Limiter,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._logins = logins
        self._links = link_service
        self._mailer = mailer
        self._limiter = limiter

    async def ask(self, actor: Actor, change: EmailChange, address: str) -> None:
        """Mail a link to the new address; nothing changes until it is opened.

        Raises:
            InvalidInputError: it is no other address, or the password is wrong.
            OwnersAddressError: the actor is an owner.
            EmailTakenError: another account has it.
            NoMailError: this workspace sends no mail.
            TooManyRequestsError: too many mails, or wrong passwords.
        """
        if actor.role is Role.OWNER:
            raise OwnersAddressError
        await self._links.require_available()
        email = normal_email(change.email)
        if email is None or email == actor.email:
            raise InvalidInputError.of("email", email_problem(change.email.strip()) or "is your address already")
        async with self._database.read() as connection:
            stored = await users.password_hash(connection, actor.user_id)
        async with self._logins.guess(actor.email, address):
            if not await self._passwords.verify(stored, change.current_password):
                raise InvalidInputError.of("current_password", "is not your current password")
        await self._limiter.count_all(to_recipient(email))
        secret = new_secret()
        async with self._database.transaction() as tx:
            if await users.get_with_hash(tx, email) is not None:
                raise EmailTakenError
            await repository.put(tx, actor.user_id, email, digest(secret), clock.now() + RESET_VALID_FOR)
            await record(tx, actor, "user.ask_for_email", actor.email, after={"email": email})
        self._mailer.send_in_background(self._links.mail_email_change(secret, email))

    async def confirm(self, code: str) -> None:
        """The link's user has the new address from now on; the old one is told.

        Raises:
            LinkSpentError: the link is not valid.
            EmailTakenError: another account got the address meanwhile.
        """
        async with self._database.transaction() as tx:
            found = await repository.find_locked(tx, digest(secret_in(code)))
            user = await users.get_locked(tx, found[0]) if found else None
            if found is None or user is None or not user.active or user.role is Role.OWNER:
                raise LinkSpentError
            old, user.email = user.email, found[1]
            try:
                await users.update(tx, user)
            except DuplicateKeyError as error:
                raise EmailTakenError from error
            await repository.delete(tx, user.id)
            await links.expire(tx, user.id)
            actor = Actor(user.id, user.email, user.name, user.role)
            await record(tx, actor, "user.change_email", user.email, before={"email": old}, after={"email": user.email})
        self._mailer.send_in_background(self._links.mail_email_changed(old, user.email))
