"""Logins of staff, without revealing who has an account; the security stamp; the first administrator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

from vivero_web.clock import Clock
from vivero_web.errors import TooManyRequestsError
from vivero_web.logins import Logins
from vivero_web.passwords import NO_PASSWORD, Passwords
from vivero_web.tokens import digest

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.staff.errors import WrongLoginError
from vivero_control.domain.staff.repository import StaffRepository
from vivero_control.domain.staff.schemas import Login, Role, StaffView
from vivero_control.settings import Settings


class StaffService:
    """Logins of staff."""

    def __init__(self, *, database: Database, passwords: Passwords, logins: Logins, audit: AuditService) -> None:
        self._database = database
        self._passwords = passwords
        self._logins = logins
        self._audit = audit

    async def login(self, login: Login, address: str) -> StaffView:
        """Whose e-mail and password these are; `address` is the caller's, for counting.

        Raises:
            WrongLoginError: whatever is wrong.
            TooManyRequestsError: too many attempts; the right password is refused as well.
        """
        async with self._database.transaction() as session:
            member = await StaffRepository(session).by_email(login.email)
        async with self._noting_refusals(member), self._logins.guess(member.email if member else login.email, address):
            # Constant time: an invited member has no hash that could be verified, and an unknown address no member.
            stored = member.password_hash if member and can_log_in(member) else None
            matches = await self._passwords.verify(stored, login.password)
            if member is None or not matches:
                raise WrongLoginError
        found = view(member)
        await self._audit.log(of_staff("login", found))
        return found

    async def note_logout(self, member: StaffView) -> None:
        """The session has ended."""
        await self._audit.log(of_staff("logout", member))

    @asynccontextmanager
    async def _noting_refusals(self, member: StaffMember | None) -> AsyncIterator[None]:
        """Around a login: the audit log has every refusal, and why.

        What was typed as an address may be a password, so an unknown one is not logged.
        """
        try:
            yield
        except (WrongLoginError, TooManyRequestsError) as error:
            action = "login-refused" if isinstance(error, WrongLoginError) else "login-blocked"
            await self._audit.log_refusal(action, staff_subject(member.id if member else "unknown"))
            raise

    async def find(self, staff_id: str, stamp: str) -> StaffView | None:
        """The active member of this id, while the password is the one that the login was made with.

        None also for what is no id.
        """
        try:
            key = UUID(staff_id)
        except ValueError:
            return None
        async with self._database.transaction() as session:
            member = await StaffRepository(session).active(key)
        found = view(member) if member else None
        return found if found and found.stamp == stamp else None


def of_staff(action: str, member: StaffView) -> AuditAction:
    """What a member does to their own account."""
    return AuditAction(actor=member.email, action=action, subject=staff_subject(member.id), reason="", detail={})


def staff_subject(staff_id: UUID | str) -> str:
    """The audit log's name for an account."""
    return f"staff/{staff_id}"


def can_log_in(member: StaffMember) -> bool:
    return member.active and has_password(member)


def has_password(member: StaffMember) -> bool:
    """False before an invitation is accepted, and after a deactivation."""
    return member.password_hash != NO_PASSWORD


def view(member: StaffMember) -> StaffView:
    return StaffView(
        id=str(member.id),
        email=member.email,
        role=cast("Role", member.role),
        stamp=security_stamp(member.password_hash),
    )


def security_stamp(password_hash: str) -> str:
    """Binds a login to the password it was made with: any change of the password ends the login.

    It reveals nothing about the password: the hash is salted, and this is a part of its digest.
    """
    return digest(password_hash).hex()[:32]


async def seed_admin(settings: Settings, clock: Clock) -> None:
    """Make the account, unless the address has one: a password changed later is not undone."""
    passwords, database = Passwords(), Database(settings)
    email = settings.app.admin_email.strip().lower()
    try:
        password_hash = await passwords.hash(settings.app.admin_password.get_secret_value())
        async with database.transaction() as session:
            staff = StaffRepository(session)
            if await staff.by_email(email) is None:
                member = StaffMember(email=email, password_hash=password_hash, role="admin", created_at=clock())
                await staff.put(member)
    finally:
        passwords.close()
        await database.close()
