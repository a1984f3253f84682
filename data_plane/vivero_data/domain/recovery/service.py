"""Password reset by mail, and choosing a password with a link.

The account is looked up after the response, so neither its content nor its
timing reveals whether the account exists.
"""

from vivero_web.errors import InvalidInputError, LinkSpentError
from vivero_web.limiter import Limiter
from vivero_web.links import ChosenPassword, admit, secret_in
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.text import password_problem
from vivero_web.tokens import digest

from vivero_data.clients.mail import Mailer
from vivero_data.db.database import Database
from vivero_data.domain.audit.service import record, record_anonymous
from vivero_data.domain.auth import repository as sessions
from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.links import repository as links
from vivero_data.domain.links.repository import Purpose
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Actor, User


class RecoveryService:
    """Password reset, without a login."""

    def __init__(  # noqa: PLR0913, PLR0917  its dependencies
        self,
        database: Database,
        passwords: Passwords,
        logins: Logins,
        identity: IdentityService,
        link_service: LinkService,
        mailer: Mailer,
        limiter: Limiter,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._logins = logins
        self._identity = identity
        self._links = link_service
        self._mailer = mailer
        self._limiter = limiter

    async def forgotten(self, email: str, address: str) -> None:
        """Mail a reset link if the account exists; `address` is the client's.

        Raises:
            InvalidInputError: not an e-mail address.
            NoMailError: this workspace sends no mail.
            TooManyRequestsError: too many requests, by this client or for this e-mail address.
        """
        await self._links.require_available()
        normal = (await admit(self._limiter, email, address)).lower()
        self._mailer.send_in_background(self._mail_reset(normal))

    async def choose(self, chosen: ChosenPassword, address: str) -> None:
        """Set the password of the link's user and end all their sessions; `address` is the client's.

        Raises:
            InvalidInputError: the link is not valid, or the password not acceptable.
        """
        secret = digest(secret_in(chosen.code))
        async with self._database.read() as connection:
            link = await links.find(connection, secret)
            user = await users.get(connection, link[0]) if link else None
        if link is None or user is None or not user.active:
            raise LinkSpentError
        workspace = (await self._identity.current()).name
        problem = password_problem(chosen.password, email=user.email, company=workspace)
        if problem:
            raise InvalidInputError.of("password", problem)
        await self._set(secret, link[1], user, await self._passwords.hash(chosen.password))
        await self._logins.trust(user.email, address)
        if link[1] is Purpose.RESET:
            self._mailer.send_in_background(self._links.mail_change(user.email))

    async def _set(self, secret: bytes, purpose: Purpose, user: User, hashed: str) -> None:
        action = "user.accept_invitation" if purpose is Purpose.INVITATION else "user.reset_own_password"
        async with self._database.transaction() as tx:
            held = await users.get_locked(tx, user.id)
            # The user may have been deactivated or renamed while the password was hashed.
            if held is None or not held.active or held.email != user.email or not await links.spend(tx, secret):
                raise LinkSpentError
            await users.set_password(tx, user.id, hashed)
            await sessions.revoke_all(tx, user.id)
            await record(tx, Actor(held.id, held.email, held.name, held.role), action, held.email)

    async def _mail_reset(self, email: str) -> None:
        async with self._database.transaction() as tx:
            found = await users.get_with_hash_locked(tx, email)
            if found is None or not found[0].active:
                return
            secret = await self._links.issue(tx, found[0].id, Purpose.RESET)
            await record_anonymous(tx, "user.ask_for_reset", found[0].email)
        await self._links.mail_reset(secret, email)
