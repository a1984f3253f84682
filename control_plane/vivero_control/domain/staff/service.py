"""Staff: who they are, and checking a login without telling who has one."""

from typing import Literal, cast
from uuid import UUID

from vivero_web.logins import Logins
from vivero_web.passwords import Passwords

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.audit.service import Act, AuditService
from vivero_control.domain.staff.errors import WrongLoginError
from vivero_control.domain.staff.repository import StaffRepository
from vivero_control.domain.staff.schemas import Login, StaffView


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
        async with self._logins.guess(member.email if member else login.email, address):
            matches = await self._passwords.verify(member.password_hash if member else None, login.password)
            if member is None or not matches or not member.active:
                raise WrongLoginError
        await self._audit.note(
            Act(actor=member.email, action="login", subject=f"staff/{member.id}", reason="", detail={"from": address})
        )
        return view(member)

    async def find(self, staff_id: str) -> StaffView | None:
        """The active member of this id; None also for what is no id."""
        try:
            key = UUID(staff_id)
        except ValueError:
            return None
        async with self._database.transaction() as session:
            member = await StaffRepository(session).active(key)
        return view(member) if member else None


def view(member: StaffMember) -> StaffView:
    return StaffView(id=str(member.id), email=member.email, role=cast("Literal['admin', 'support']", member.role))
