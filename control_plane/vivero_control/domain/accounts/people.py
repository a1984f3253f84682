"""Who else may manage a workspace: named and removed by its owner, told by mail, and in the audit log."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from uuid import uuid4

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError, NotAllowedError
from vivero_web.limiter import Limiter
from vivero_web.links import to_recipient
from vivero_web.mail import Mail
from vivero_web.text import email_problem

from vivero_control.db.database import Database
from vivero_control.db.tables import WorkspaceManager
from vivero_control.domain.accounts.repository import ManagerRepository
from vivero_control.domain.accounts.service import Visit, owns
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.tenants.policies import is_unconfirmed, tenant_subject

MANAGERS_MAX: Final = 20
"""Of one workspace; two that are named at the same moment may be one more."""


class Manager(Struct, frozen=True, kw_only=True):
    """A person beside the owner who manages a workspace."""

    email: str
    named_by: str
    named_at: datetime


class WorkspacePeople:
    """Each change, its entry in the audit log and the mails about it are one transaction."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        limiter: Limiter,
        tenant_url: Callable[[str], str],
        account_url: str,
        wake_worker: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._tenant_url = tenant_url
        self._account_url = account_url
        self._wake_worker = wake_worker
        self._clock = clock

    async def all(self, visit: Visit) -> tuple[Manager, ...]:
        """Beside the owner, by address."""
        async with self._database.transaction() as session:
            rows = await ManagerRepository(session).of(visit.tenant.id)
        return tuple(Manager(email=row.email, named_by=row.named_by, named_at=row.named_at) for row in rows)

    async def name(self, visit: Visit, typed: str) -> str:
        """Let a person manage the workspace; returns the address as it is kept.

        Raises:
            NotAllowedError: who asks is not the owner.
            InvalidInputError: naming `email`.
            ConflictError: the person can already, there are enough, or the owner's own address is not confirmed.
            TooManyRequestsError: that address has got many mails.
        """
        visit.require_owner()
        email, tenant = typed.strip().lower(), visit.tenant
        if problem := email_problem(email):
            raise InvalidInputError.of("email", problem)
        if owns(email, tenant):
            raise ConflictError("This is the owner of the workspace, who manages it already.")
        if is_unconfirmed(tenant):
            raise ConflictError("The owner's own e-mail address comes first: follow the link in the mail about it.")
        await self._limiter.count_all(to_recipient(email))
        async with self._database.transaction() as session:
            managers = ManagerRepository(session)
            if await managers.get_one_or_none(tenant_id=tenant.id, email=email):
                raise ConflictError(f"{email} manages the workspace already.")
            if await managers.count(tenant.id) >= MANAGERS_MAX:
                raise ConflictError(f"A workspace has at most {MANAGERS_MAX} managers. Remove one first.")
            row = WorkspaceManager(tenant_id=tenant.id, email=email, named_by=visit.actor, named_at=self._clock())
            await managers.add_new([row])
            await self._note(session, visit, "name-manager", email)
            await self._tell(session, visit, email, partial(mails.manager_named, account_url=self._account_url))
        self._wake_worker()
        return email

    async def remove(self, visit: Visit, email: str) -> None:
        """Let a person manage the workspace no more; who is none is none already.

        Raises:
            NotAllowedError: who asks is neither the owner nor that person.
        """
        tenant = visit.tenant
        if not visit.is_owner and visit.email != email:
            raise NotAllowedError("Only the owner of the workspace can remove somebody else.")
        async with self._database.transaction() as session:
            if not await ManagerRepository(session).remove(tenant.id, email):
                return
            await self._note(session, visit, "remove-manager", email)
            await self._tell(session, visit, email, mails.manager_removed)
        self._wake_worker()

    async def _tell(self, session: AsyncSession, visit: Visit, email: str, mail: Callable[..., Mail]) -> None:
        """The person, and the owner."""
        tenant = visit.tenant
        url = self._tenant_url(tenant.spec.slug or "")
        for to in _told(tenant, email):
            made = mail(uuid4().hex, to=to, manager=email, by=_said(visit), url=url)
            await mails.enqueue(session, made, self._clock(), tenant_subject(tenant.name))

    async def _note(self, session: AsyncSession, visit: Visit, action: str, email: str) -> None:
        subject = tenant_subject(visit.tenant.name)
        act = AuditAction(actor=visit.actor, action=action, subject=subject, reason="", detail={"manager": email})
        await AuditRepository(session).add(record(act, self._clock(), DONE))


def _told(tenant: Tenant, email: str) -> tuple[str, ...]:
    """The person, and the owner."""
    owner = tenant.spec.owner
    return (email, owner.email) if owner else (email,)


def _said(visit: Visit) -> str:
    """Who does it, at the beginning of a sentence."""
    return visit.email or "An owner of it"
