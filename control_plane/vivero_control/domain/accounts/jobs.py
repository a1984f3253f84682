"""The job that mails the link into the account's pages."""

from typing import Final

import msgspec
from vivero_core.model.tenant import Tenant
from vivero_web.links import one_time_link
from vivero_web.mail import Mail
from vivero_web.tokens import digest

from vivero_control.domain.accounts.sessions import AccountSessions, Holder
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.mails import MailSender
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload

LINK: Final = "billing.link"
"""As jobs of before the account had other pages are called."""
PAGE: Final = "/account/open"
"""Where the mailed link leads."""


class LinkRequest(msgspec.Struct, frozen=True):
    """Payload: the Tenant whose owner is to be let in, or the address of who is."""

    tenant: str
    email: str = ""


class LinkJob(JobKind):
    """Mails a link to who manages a workspace; each attempt makes another one, so none is stored in a job."""

    def __init__(self, tenants: TenantRepository, sessions: AccountSessions, sender: MailSender, origin: str) -> None:
        self._tenants = tenants
        self._sessions = sessions
        self._sender = sender
        self._origin = origin

    async def perform(self, payload: Payload) -> None:
        """A Tenant that is gone, or nobody's, gets none; an address gets one whether it manages anything or not."""
        asked = msgspec.convert(payload, LinkRequest)
        if asked.email:
            await self._sender.send(await self._mail(Holder("", "", asked.email)))
            return
        found = await self._tenants.find(asked.tenant)
        if isinstance(found, Tenant) and found.spec.owner is not None and found.spec.slug is not None:
            await self._sender.send(await self._mail(Holder(found.name, found.metadata.uid, found.spec.owner.email)))

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(
            "Link to the account of a workspace", str(payload.get("email") or payload.get("tenant", ""))
        )

    async def _mail(self, holder: Holder) -> Mail:
        secret = await self._sessions.new_link(holder)
        link = one_time_link(f"{self._origin}{PAGE}", secret)
        return mails.account_link(digest(secret).hex(), to=holder.email, link=link)
