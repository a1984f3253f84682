"""Issues one-time links and mails them; `domain/recovery` redeems them."""

from vivero_web import clock, links
from vivero_web.errors import ConflictError
from vivero_web.links import PAGE, one_time_link
from vivero_web.mail import Mail
from vivero_web.tokens import digest, new_secret

from vivero_data.clients.mail import Mailer
from vivero_data.db.database import Connection, Database
from vivero_data.domain.identity.service import Identity, IdentityService
from vivero_data.domain.links import repository
from vivero_data.domain.links.repository import VALID_FOR, Purpose


class NoMailError(ConflictError):
    """The workspace sends no mail."""

    slug = "no-mail"

    def __init__(self) -> None:
        super().__init__("This workspace sends no mail; whoever runs it can set up a mail server.")


class LinkService:
    """Links use the workspace's configured address, never a request's Host header (host header injection)."""

    def __init__(self, database: Database, identity: IdentityService, mailer: Mailer) -> None:
        self._database = database
        self._identity = identity
        self._mailer = mailer

    async def available(self) -> bool:
        """Whether this workspace can mail links: it needs a mail server and its own address."""
        return self._mailer.configured and bool((await self._identity.current()).public_url)

    async def require_available(self) -> None:
        """Fail before work that would end in a mail.

        Raises:
            NoMailError: there is no mail server, or no public address.
            UnavailableError: too many mails are in flight.
        """
        if not await self.available():
            raise NoMailError
        self._mailer.require_capacity()

    async def issue(self, tx: Connection, user_id: int, purpose: Purpose) -> str:
        """The secret of a new link; the user's previous one for this purpose becomes invalid."""
        secret = new_secret()
        await repository.put(tx, user_id, purpose, digest(secret), clock.now() + VALID_FOR[purpose])
        return secret

    async def mail_reset(self, secret: str, to: str) -> None:
        """Send a password reset link."""
        identity = await self._identity.current()
        mail = links.password_reset(_key(secret), to=to, place=_place(identity), link=_link(identity, secret))
        await self._deliver(secret, mail)

    async def mail_invitation(self, secret: str, to: str, inviter: str) -> None:
        """Send an invitation link; `inviter` is the e-mail address of the inviting user."""
        identity = await self._identity.current()
        place, link = _place(identity), _link(identity, secret)
        mail = links.invitation(_key(secret), to=to, group="the workspace", place=place, inviter=inviter, link=link)
        await self._deliver(secret, mail)

    async def mail_change(self, to: str) -> None:
        """Notify a user that their password was reset."""
        place = _place(await self._identity.current())
        await self._mailer.deliver(links.password_changed(_key(new_secret()), to=to, place=place))

    async def mail_email_change(self, secret: str, to: str) -> None:
        """Send the link that confirms a new address."""
        identity = await self._identity.current()
        link = one_time_link(f"{identity.public_url}/confirm-email", secret)
        await self._mailer.deliver(links.email_change(_key(secret), to=to, place=_place(identity), link=link))

    async def mail_email_changed(self, old: str, new: str) -> None:
        """Notify the old address."""
        if await self.available():
            place = _place(await self._identity.current())
            await self._mailer.deliver(links.email_changed(_key(new_secret()), to=old, place=place, new=new))

    async def mail_disabled_webhook(self, to: str) -> None:
        """Notify who made a webhook that it was switched off."""
        if await self.available():
            place = _place(await self._identity.current())
            await self._mailer.deliver(links.webhook_disabled(_key(new_secret()), to=to, place=place))

    async def _deliver(self, secret: str, mail: Mail) -> None:
        if await self._mailer.deliver(mail):
            async with self._database.transaction() as tx:
                await repository.note_sent(tx, digest(secret))


def _key(secret: str) -> str:
    """The root of the mail's Message-ID; reveals nothing about the secret."""
    return digest(secret).hex()


def _link(identity: Identity, secret: str) -> str:
    return one_time_link(f"{identity.public_url}{PAGE}", secret)


def _place(identity: Identity) -> str:
    return identity.host("")
