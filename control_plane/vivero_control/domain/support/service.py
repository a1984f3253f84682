"""Support access: an owner lets staff look at a workspace for some hours; staff enter with a ticket (ADR 0079)."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast
from uuid import uuid4

from msgspec import Struct
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_control.db.database import Database, Repository
from vivero_control.db.tables import SupportGrant
from vivero_control.domain.accounts.service import Visit
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.signups.access import LoginTickets
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.support.jobs import END
from vivero_control.domain.tenants.errors import TenantNotFoundError
from vivero_control.domain.tenants.policies import tenant_subject
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.repository import OutboxRepository

HOURS: Final = (1, 4, 24, 72)
"""For how long an owner can grant it."""
SESSION: Final = timedelta(hours=1)
"""How long staff are in before they enter again."""
Role = Literal["viewer", "admin"]
"""As what staff look: as a viewer of the workspace, or also at what its administrators see."""


class Grant(Struct, frozen=True, kw_only=True):
    """What an owner has granted, and until when."""

    id: str
    role: Role
    granted_by: str
    granted_at: datetime
    ends_at: datetime


class NoSupportAccessError(ConflictError):
    """The owner has granted none, or it has ended."""

    def __init__(self) -> None:
        super().__init__("The owner of this workspace grants no access for support. It is granted on the account page.")


class GrantRepository(Repository[SupportGrant]):
    """Grants by workspace."""

    model_type = SupportGrant

    async def current(self, tenant_id: str, now: datetime) -> SupportGrant | None:
        """The newest that has not ended."""
        lives = SupportGrant.tenant_id == tenant_id, SupportGrant.ends_at > now
        newest = select(SupportGrant).where(*lives).order_by(SupportGrant.granted_at.desc()).limit(1)
        return cast("SupportGrant | None", await self.session.scalar(newest))

    async def live(self, tenant_id: str, now: datetime) -> list[str]:
        lives = SupportGrant.tenant_id == tenant_id, SupportGrant.ends_at > now
        return list(await self.session.scalars(select(SupportGrant.id).where(*lives).with_for_update()))

    async def end(self, grants: list[str], now: datetime) -> None:
        await self.session.execute(update(SupportGrant).where(SupportGrant.id.in_(grants)).values(ends_at=now))

    async def forget(self, before: datetime) -> int:
        """Those that ended before that; what was granted stays in the audit log."""
        statement = delete(SupportGrant).where(SupportGrant.ends_at < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount


class SupportAccess:
    """For owners, who grant and end it, and for staff, who enter. Each act is one transaction with its entry and mail."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        tenants: TenantRepository,
        tickets: LoginTickets,
        tenant_url: Callable[[str], str],
        account_url: str,
        wake_worker: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._tickets = tickets
        self._tenant_url = tenant_url
        self._account_url = account_url
        self._wake_worker = wake_worker
        self._clock = clock

    async def current(self, tenant_id: str) -> Grant | None:
        """What holds at this moment."""
        async with self._database.transaction() as session:
            row = await GrantRepository(session).current(tenant_id, self._clock())
        return _grant(row) if row else None

    async def grant(self, visit: Visit, hours: int, role: Role) -> Grant:
        """In the place of what was granted before, which ends.

        Raises:
            NotAllowedError: who asks is not the owner.
            InvalidInputError: naming `hours`.
        """
        visit.require_owner()
        if hours not in HOURS:
            raise InvalidInputError.of("hours", "Choose for how long.")
        now = self._clock().replace(microsecond=0)  # as the database keeps it
        made = SupportGrant(
            id=secrets.token_hex(16),
            tenant_id=visit.tenant.id,
            role=role,
            granted_by=visit.actor,
            granted_at=now,
            ends_at=now + timedelta(hours=hours),
        )
        async with self._database.transaction() as session:
            await self._end(session, visit.tenant)
            await GrantRepository(session).add(made)
            detail = {"role": role, "until": made.ends_at.isoformat()}
            await self._note(session, visit.tenant, visit.actor, "grant-support", "", detail)
        self._wake_worker()
        return _grant(made)

    async def end(self, visit: Visit) -> None:
        """Staff are out at once, as soon as the workspace can be told; nothing happens where nothing is granted.

        Raises:
            NotAllowedError: who asks is not the owner.
        """
        visit.require_owner()
        async with self._database.transaction() as session:
            if await self._end(session, visit.tenant):
                await self._note(session, visit.tenant, visit.actor, "end-support", "", {})
        self._wake_worker()

    async def enter(self, name: str, reason: str, member: StaffView) -> str:
        """The address that lets this member of staff in, once, within ten minutes; the owner is told by mail.

        Raises:
            TenantNotFoundError: there is none of this name.
            NoSupportAccessError: its owner grants none.
            ConflictError: it is closed.
            InvalidInputError: naming `reason`.
        """
        if not 0 < len(reason.strip()) <= 500:  # noqa: PLR2004  as of every order of staff
            raise InvalidInputError.of("reason", "Say why, in at most 500 characters.")
        tenant = await self._tenants.find(name)
        if not isinstance(tenant, Tenant) or tenant.spec.slug is None:
            raise TenantNotFoundError(name)
        if tenant.spec.suspended is not None:
            raise ConflictError("The workspace is closed, so nobody can look at it.")
        now = self._clock()
        async with self._database.transaction() as session:
            row = await GrantRepository(session).current(tenant.id, now)
            if row is None:
                raise NoSupportAccessError
            until = min(row.ends_at, now + SESSION)
            detail = {"role": row.role, "until": until.isoformat(timespec="seconds")}
            await self._note(session, tenant, member.email, "enter-workspace", reason.strip(), detail)
            if tenant.spec.owner is not None:
                mail = mails.support_entered(
                    uuid4().hex,
                    to=tenant.spec.owner.email,
                    staff=member.email,
                    until=until,
                    url=self._tenant_url(tenant.spec.slug),
                    account_url=f"{self._account_url}/support",
                )
                await mails.enqueue(session, mail, now, tenant_subject(tenant.name))
        self._wake_worker()
        return self._tickets.support_url(
            self._tenant_url(tenant.spec.slug),
            tenant_id=tenant.id,
            staff=member.email,
            grant=row.id,
            role=row.role,
            until=until,
            now=now,
        )

    async def _end(self, session: AsyncSession, tenant: Tenant) -> bool:
        """End what is granted, and have the workspace told."""
        now, grants = self._clock().replace(microsecond=0), GrantRepository(session)
        ended = await grants.live(tenant.id, now)
        if not ended:
            return False
        await grants.end(ended, now)
        for grant in ended:
            await OutboxRepository(session).enqueue(
                kind=END,
                key=f"{END}:{grant}",
                payload={"tenant": tenant.name, "grant": grant},
                now=now,
                due_at=now,
                subject=tenant_subject(tenant.name),
            )
        return True

    async def _note(  # noqa: PLR0913, PLR0917  who did what to what, why
        self, session: AsyncSession, tenant: Tenant, actor: str, action: str, reason: str, detail: dict[str, Any]
    ) -> None:
        act = AuditAction(actor=actor, action=action, subject=tenant_subject(tenant.name), reason=reason, detail=detail)
        await AuditRepository(session).add(record(act, self._clock(), DONE))


def _grant(row: SupportGrant) -> Grant:
    return Grant(
        id=row.id,
        role=cast("Role", row.role),
        granted_by=row.granted_by,
        granted_at=row.granted_at,
        ends_at=row.ends_at,
    )
