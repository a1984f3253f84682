"""Logins of staff by e-mail and password, and a code where two-step login is active."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from vivero_web.challenges import ChallengeEndedError, Challenges
from vivero_web.clock import Clock
from vivero_web.errors import TooManyRequestsError
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.second_factors import CodeNeededError, WrongCodeError

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.staff.codes import StaffCodes
from vivero_control.domain.staff.errors import WrongLoginError
from vivero_control.domain.staff.identity import can_log_in, of_staff, present, staff_subject, view
from vivero_control.domain.staff.repository import StaffRepository
from vivero_control.domain.staff.schemas import Login, StaffView
from vivero_control.settings import Settings


class StaffService:
    """Logins of staff; `second_factor_required` of everybody."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        passwords: Passwords,
        logins: Logins,
        codes: StaffCodes,
        challenges: Challenges,
        audit: AuditService,
        second_factor_required: bool,
        clock: Clock,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._logins = logins
        self._codes = codes
        self._challenges = challenges
        self._audit = audit
        self._second_factor_required = second_factor_required
        self._clock = clock

    async def login(self, login: Login, address: str) -> StaffView:
        """Whose e-mail, password and code these are; `address` is the caller's, for counting.

        Raises:
            WrongLoginError: whatever is wrong with e-mail or password.
            CodeNeededError: they are right, and two-step login is active.
            WrongCodeError: the code that came with them is not.
            TooManyRequestsError: too many attempts; what is right is refused as well.
        """
        async with self._database.transaction() as session:
            member = await StaffRepository(session).by_email(login.email)
        async with self._noting_refusals(member):
            async with self._logins.guess(member.email if member else login.email, address):
                # Constant time: an invited member has no hash that could be verified, and an unknown address no member.
                stored = member.password_hash if member and can_log_in(member) else None
                matches = await self._passwords.verify(stored, login.password)
                if member is None or not matches:
                    raise WrongLoginError
            try:
                return await self._completed(member, login.code)
            except CodeNeededError as error:
                challenge = self._challenges.issue(str(member.id), member.password_hash, self._clock())
                raise CodeNeededError(challenge) from error

    async def finish(self, challenge: str, code: str) -> StaffView:
        """Whose login a code completes, after a password that was right.

        Raises:
            ChallengeEndedError: that was too long ago, or the password was changed.
            WrongCodeError: the code is not right.
            TooManyRequestsError: too many were not.
        """
        proven = self._challenges.read(challenge)
        async with self._database.transaction() as session:
            found = await StaffRepository(session).active(UUID(proven.account))
        if found is None or not proven.is_about(found[0].password_hash):
            raise ChallengeEndedError
        async with self._noting_refusals(found[0]):
            return await self._completed(found[0], code or "-")

    async def note_logout(self, member: StaffView) -> None:
        """The session has ended."""
        await self._audit.log(of_staff("logout", member))

    async def find(self, staff_id: str, stamp: str) -> StaffView | None:
        """The active member of this id, while password and second factor are those that the login was made with.

        None also for what is no id.
        """
        async with self._database.transaction() as session:
            found = await present(session, staff_id, required=self._second_factor_required)
        return found if found and found.stamp == stamp else None

    async def _completed(self, member: StaffMember, code: str | None) -> StaffView:
        """The login of who knew the password. What was proven is not read again: a change of it ends the login."""
        factor = await self._codes.check(member, code)
        found = view(member, factor, required=self._second_factor_required)
        await self._audit.log(of_staff("login", found))
        return found

    @asynccontextmanager
    async def _noting_refusals(self, member: StaffMember | None) -> AsyncIterator[None]:
        """Around a login: the audit log has every refusal, and why.

        What was typed as an address may be a password, so an unknown one is not logged.
        """
        try:
            yield
        except (WrongLoginError, WrongCodeError, TooManyRequestsError) as error:
            action = "login-blocked" if isinstance(error, TooManyRequestsError) else "login-refused"
            await self._audit.log_refusal(action, staff_subject(member.id if member else "unknown"))
            raise


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
