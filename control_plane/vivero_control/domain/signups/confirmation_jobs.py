"""Jobs about confirming an address: the mails with the link, and telling the cluster that it is confirmed.

Each attempt at a mail makes another link, so none is stored in a job.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import quote

import msgspec
from vivero_core.errors import ViveroError
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.links import one_time_link
from vivero_web.mail import Mail
from vivero_web.tokens import digest, keyed_digest, new_secret

from vivero_control.db.database import Database
from vivero_control.db.tables import Signup
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.mails import MailSender
from vivero_control.domain.signups.access import BearerTokens, signup_digest
from vivero_control.domain.signups.links import PAGE, LinkRequest
from vivero_control.domain.signups.people import company_domain, mailbox
from vivero_control.domain.signups.policies import LINK_VALID_FOR
from vivero_control.domain.signups.provisioning import job_key
from vivero_control.domain.signups.repository import (
    CompanyRepository,
    SignupLinkRepository,
    SignupRepository,
    TrialRepository,
)
from vivero_control.domain.tenants import policies as tenant_policies
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload
from vivero_control.jobs.repository import OutboxRepository

CONFIRMED: Final = "signup.confirmed"
JOIN: Final = "signup.join"
INVITE: Final = "/users/new"
"""Where the owner of a workspace invites; the address is filled in."""


class TenantNotMadeError(ViveroError):
    """The signup is still being provisioned."""


class People:
    """Digests of people, by a key of ours: who has them cannot try addresses."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def key(self, email: str) -> str:
        """The same (64 hex) for all spellings of an address that reach one mailbox."""
        return keyed_digest(self._key, mailbox(email))


class JoinCodes:
    """What lets a confirmed person ask to join: the id of their signup, and a token of it."""

    def __init__(self, key: bytes) -> None:
        self._tokens = BearerTokens(key)

    def issue(self, signup_id: str) -> str:
        return f"{signup_id}.{self._tokens.issue(signup_id)}"

    def signup_in(self, code: str) -> str | None:
        """The id of the signup that it was issued for; None for any other text."""
        signup_id, _, token = code.strip().partition(".")
        return signup_id if self._tokens.verify(token, signup_id) else None


class JoinJob(JobKind):
    """Mails the owner of a company's workspace that a colleague asks for an invitation."""

    def __init__(
        self, database: Database, tenants: TenantRepository, sender: MailSender, tenant_url: Callable[[str], str]
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._sender = sender
        self._tenant_url = tenant_url

    async def perform(self, payload: Payload) -> None:
        """Nothing is sent when either workspace is gone."""
        signup_id = str(payload["signup_id"])
        async with self._database.transaction() as session:
            signup = await SignupRepository(session).get_one_or_none(id=signup_id)
            domain = company_domain(signup.email) if signup else None
            first = await CompanyRepository(session).first(domain) if domain else None
        if signup is None or first is None or first.id == signup_id:
            return
        found = await self._tenants.of_signup(signup_digest(first.id))
        if isinstance(found, Tenant) and found.spec.owner is not None and found.spec.slug is not None:
            invite = f"{self._tenant_url(found.spec.slug)}{INVITE}?email={quote(signup.email)}"
            mail = mails.asks_to_join(signup_id, to=found.spec.owner.email, colleague=signup.email, link=invite)
            await self._sender.send(mail)

    def describe(self, payload: Payload) -> JobDescription:  # noqa: ARG002  an id that leads to nothing else
        return JobDescription("Question of a colleague to join a workspace", "")


class LinkJob(JobKind):
    """Mails the owner of a signup a link, or where the person's workspace is who has had a trial."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        tenants: TenantRepository,
        sender: MailSender,
        people: People,
        origin: str,
        tenant_url: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._sender = sender
        self._people = people
        self._origin = origin
        self._tenant_url = tenant_url
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        """A workspace that is gone or confirmed needs none; a reminder about another trial is none."""
        wanted, now = msgspec.convert(payload, LinkRequest), self._clock()
        if not wanted.signup_id or not await self._waits(wanted.signup_id):
            return
        async with self._database.transaction() as session:
            signup = await SignupRepository(session).get_one_or_none(id=wanted.signup_id)
            if signup is None or signup.confirmed_at is not None:
                return
            other = await TrialRepository(session).holder(self._people.key(signup.email), now)
        if other is None:
            await self._sender.send(await self._with_link(signup, wanted, now))
        elif wanted.is_welcome:
            await self._sender.send(await self._known(signup, other))

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("Link to confirm an address", str(payload.get("email", "")))

    async def _waits(self, signup_id: str) -> bool:
        found = await self._tenants.of_signup(signup_digest(signup_id))
        return isinstance(found, Tenant) and tenant_policies.is_unconfirmed(found)

    async def _with_link(self, signup: Signup, wanted: LinkRequest, now: datetime) -> Mail:
        secret = new_secret()
        key = digest(secret).hex()
        async with self._database.transaction() as session:
            await SignupLinkRepository(session).put(key, signup.id, now + LINK_VALID_FOR)
        link = one_time_link(f"{self._origin}{PAGE}", secret)
        letter = mails.welcome if wanted.is_welcome else mails.confirm_address
        return letter(key, to=signup.email, url=self._tenant_url(signup.slug), link=link)

    async def _known(self, signup: Signup, other: Signup) -> Mail:
        """Where the other workspace is, if it is still there."""
        found = await self._tenants.of_signup(signup_digest(other.id))
        url = self._tenant_url(other.slug) if found is not None else None
        return mails.tried_before(signup.id, to=signup.email, url=url)


class ConfirmedJob(JobKind):
    """Tells the cluster that the owner's address is confirmed; a workspace that was closed for that opens again."""

    def __init__(self, database: Database, tenants: TenantRepository, clock: Clock) -> None:
        self._database = database
        self._tenants = tenants
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        """Nothing is left to do for a Tenant that is gone, being deleted, unreadable or told already.

        Raises:
            TenantNotMadeError: try again later.
        """
        signup_id = str(payload["signup_id"])
        found = await self._tenants.of_signup(signup_digest(signup_id))
        if found is None:
            await self._require_finished(signup_id)
            return
        if isinstance(found, Tenant) and tenant_policies.is_unconfirmed(found):
            await self._tenants.patch(found, tenant_policies.confirm_owner(found, self._clock()))

    def describe(self, payload: Payload) -> JobDescription:  # noqa: ARG002  an id that leads to nothing else
        return JobDescription("Confirmed address of an owner", "")

    async def _require_finished(self, signup_id: str) -> None:
        async with self._database.transaction() as session:
            job = await OutboxRepository(session).status_of(job_key(signup_id))
        if job is not None and not job.is_over:
            raise TenantNotMadeError("the workspace is still being made")
