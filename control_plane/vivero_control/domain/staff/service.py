"""Staff: who they are, and checking a login without telling who has one."""

from typing import Final, Literal, cast
from uuid import UUID

from limits import RateLimitItemPerMinute
from vivero_web.errors import TooManyRequestsError
from vivero_web.passwords import Passwords

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.audit.service import Act, AuditService
from vivero_control.domain.staff.errors import WrongLoginError
from vivero_control.domain.staff.repository import StaffRepository
from vivero_control.domain.staff.schemas import Login, StaffView
from vivero_control.domain.staff.stamps import stamp_of
from vivero_control.lib.counters import Counters

# Five wrong passwords of one person from one address in a quarter of an hour; and because an attacker has
# many addresses, thirty an hour for the account. High enough that nobody can lock out someone else for long.
PER_ADDRESS: Final = RateLimitItemPerMinute(5, 15, namespace="login-address")
PER_ACCOUNT: Final = RateLimitItemPerMinute(30, 60, namespace="login-account")


class StaffService:
    """Logins of staff."""

    def __init__(self, *, database: Database, passwords: Passwords, counters: Counters, audit: AuditService) -> None:
        self._database = database
        self._passwords = passwords
        self._counters = counters
        self._audit = audit

    async def login(self, login: Login, address: str) -> StaffView:
        """Whose e-mail and password these are; `address` is the caller's, for counting.

        Raises:
            WrongLoginError: whatever is wrong.
            TooManyRequestsError: too many attempts; the right password is refused as well.
        """
        email = login.email.strip().lower()
        attempts = ((PER_ADDRESS, (email, address)), (PER_ACCOUNT, (email,)))
        for limit, who in attempts:
            verdict = await self._counters.look(limit, *who)
            if not verdict.allowed:
                raise TooManyRequestsError("Too many attempts to log in.", verdict.reset_after)
        async with self._database.transaction() as session:
            member = await StaffRepository(session).by_email(email)
        matches = await self._passwords.verify(member.password_hash if member else None, login.password)
        if member is None or not matches or not member.active:
            for limit, who in attempts:
                await self._counters.hit(limit, *who)
            raise WrongLoginError
        await self._counters.clear(PER_ADDRESS, email, address)
        await self._audit.note(
            Act(actor=member.email, action="login", subject=f"staff/{member.id}", reason="", detail={"from": address})
        )
        return view(member)

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


def view(member: StaffMember) -> StaffView:
    return StaffView(
        id=str(member.id),
        email=member.email,
        role=cast("Literal['admin', 'support']", member.role),
        stamp=stamp_of(member.password_hash),
    )
