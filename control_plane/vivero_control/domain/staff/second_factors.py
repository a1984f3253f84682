"""Two-step login of staff: each sets up their own; who lost phone and recovery codes has it ended by an admin (`members.py`).

The app's secret is stored encrypted under a key that is derived from the program's session key.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web import links, totp
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError
from vivero_web.limiter import Limiter
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.sealed import SealedSecrets
from vivero_web.second_factors import (
    GUESSES,
    ActiveAlreadyError,
    CodeRefusedError,
    Enrolment,
    NotActiveError,
    SecondFactor,
    digest_of_recovery_code,
    new_recovery_codes,
)

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember, StaffSecondFactor
from vivero_control.domain.audit.service import DONE, AuditRepository, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.staff.codes import StaffCodes
from vivero_control.domain.staff.errors import NoSessionError
from vivero_control.domain.staff.factors import SecondFactorRepository
from vivero_control.domain.staff.identity import can_log_in, of_staff, view
from vivero_control.domain.staff.repository import RefreshTokenRepository, StaffRepository
from vivero_control.domain.staff.schemas import StaffView


class Changed(Struct, frozen=True, kw_only=True):
    """After a change, which ended the other logins: who is logged in from now on, and codes that nobody sees again."""

    member: StaffView
    recovery_codes: list[str]


class StaffSecondFactors:
    """The caller's own; `host` is where staff log in, `required` whether everybody needs it.

    Every change raises NoSessionError when the caller was deactivated in between.
    """

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        passwords: Passwords,
        logins: Logins,
        limiter: Limiter,
        secrets: SealedSecrets,
        codes: StaffCodes,
        wake_worker: Callable[[], None],
        host: str,
        required: bool,
        clock: Clock,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._logins = logins
        self._limiter = limiter
        self._secrets = secrets
        self._codes = codes
        self._wake_worker = wake_worker
        self._host = host
        self._clock = clock
        self.required = required

    async def get(self, actor: StaffView) -> SecondFactor:
        async with self._database.transaction() as session:
            factors = SecondFactorRepository(session)
            factor = await factors.active(UUID(actor.id))
            if factor is None:
                return SecondFactor(active=False)
            left = await factors.codes_left(factor.staff_id)
            return SecondFactor(active=True, since=factor.since, recovery_codes=left)

    async def begin(self, actor: StaffView, password: str, address: str) -> Enrolment:
        """A new secret for the app; nothing changes until a code of it is confirmed. `address` is the client's.

        Raises:
            InvalidInputError: it is not the actor's password.
            ActiveAlreadyError: there is one.
        """
        await self._prove(actor, password, address)
        secret = totp.new_secret()
        async with self._own(actor) as (session, member, factor):
            if factor is not None and factor.active:
                raise ActiveAlreadyError
            sealed = self._secrets.sealed(str(member.id), secret)
            await SecondFactorRepository(session).begin(member.id, sealed, self._clock())
        return self._enrolment(actor, secret)

    async def pending(self, actor: StaffView) -> Enrolment:
        """What is to be confirmed, once more.

        Raises:
            NotActiveError: nothing was begun.
        """
        async with self._database.transaction() as session:
            factor = await SecondFactorRepository(session).get_one_or_none(staff_id=UUID(actor.id), active=False)
        secret = factor and self._secrets.opened(actor.id, factor.secret)
        if not secret:
            raise NotActiveError
        return self._enrolment(actor, secret)

    async def confirm(self, actor: StaffView, code: str, *, but: UUID | None = None) -> Changed:
        """Activate it, end the actor's other logins; `but` is the family of tokens that goes on.

        Raises:
            CodeRefusedError: it is not the app's present code.
            NotActiveError: nothing was begun.
            ActiveAlreadyError: it is active.
            TooManyRequestsError: too many were wrong.
        """
        (tally,) = await self._limiter.count_all((GUESSES, actor.id))
        async with self._own(actor) as (session, member, factor):
            if factor is None:
                raise NotActiveError
            if factor.active:
                raise ActiveAlreadyError
            step = self._codes.step_of(member.id, factor.secret, code.strip())
            if step is None:
                raise CodeRefusedError
            factor.active, factor.since, factor.last_step = True, self._clock(), step
            codes = await self._new_codes(session, member)
            await self._tell(session, member, "start-second-factor", but)
        await self._limiter.give_back(tally)
        return Changed(member=view(member, factor), recovery_codes=codes)

    async def renew_codes(self, actor: StaffView, password: str, address: str) -> list[str]:
        """Other recovery codes in the place of those there are.

        Raises:
            InvalidInputError: it is not the actor's password.
            NotActiveError: there is no second factor.
        """
        await self._prove(actor, password, address)
        async with self._own(actor) as (session, member, factor):
            if factor is None or not factor.active:
                raise NotActiveError
            codes = await self._new_codes(session, member)
            await AuditRepository(session).add(record(of_staff("renew-recovery-codes", member), self._clock(), DONE))
        return codes

    async def end(self, actor: StaffView, password: str, address: str, *, but: UUID | None = None) -> StaffView:
        """The password alone is enough from now on; the actor's other logins end, as by `confirm`.

        Raises:
            InvalidInputError: it is not the actor's password.
            NotActiveError: there is no second factor.
        """
        await self._prove(actor, password, address)
        async with self._own(actor) as (session, member, _):
            if not await SecondFactorRepository(session).end(member.id):
                raise NotActiveError
            await self._tell(session, member, "end-second-factor", but)
        return view(member, required=self.required)

    async def _prove(self, actor: StaffView, password: str, address: str) -> None:
        async with self._database.transaction() as session:
            found = await StaffRepository(session).active(UUID(actor.id))
        async with self._logins.guess(actor.email, address):
            if not await self._passwords.verify(found[0].password_hash if found else None, password):
                raise InvalidInputError.of("current_password", "This is not your password.")

    @asynccontextmanager
    async def _own(self, actor: StaffView) -> AsyncIterator[tuple[AsyncSession, StaffMember, StaffSecondFactor | None]]:
        """A transaction that holds the actor's account, so that of concurrent changes one comes second."""
        key = UUID(actor.id)
        async with self._database.transaction() as session:
            member = (await StaffRepository(session).locked(key)).get(key)
            if member is None or not can_log_in(member):
                raise NoSessionError
            yield session, member, await SecondFactorRepository(session).get_one_or_none(staff_id=key)
        self._wake_worker()

    async def _new_codes(self, session: AsyncSession, member: StaffMember) -> list[str]:
        codes = new_recovery_codes()
        digests = [digest_of_recovery_code(one) for one in codes]
        await SecondFactorRepository(session).replace_codes(member.id, digests)
        return codes

    async def _tell(self, session: AsyncSession, member: StaffMember, action: str, but: UUID | None) -> None:
        """Note and mail it, and end the other logins: those of pages end by the stamp."""
        await RefreshTokenRepository(session).end_all(member.id, but)
        await AuditRepository(session).add(record(of_staff(action, member), self._clock(), DONE))
        mail = links.second_factor_changed(
            f"mail.second-factor:{uuid4()}", to=member.email, place=self._host, on=action == "start-second-factor"
        )
        await mails.enqueue(session, mail, self._clock())

    def _enrolment(self, actor: StaffView, secret: bytes) -> Enrolment:
        return Enrolment(totp.shown(secret), totp.uri(secret, self._host, actor.email))
