"""The code of an authenticator app, or a recovery code, at a login of staff. Each works once."""

from uuid import UUID

from vivero_web import totp
from vivero_web.clock import Clock
from vivero_web.limiter import Limiter
from vivero_web.sealed import SealedSecrets
from vivero_web.second_factors import GUESSES, CodeNeededError, WrongCodeError, digest_of_recovery_code

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember, StaffSecondFactor
from vivero_control.domain.audit.service import DONE, AuditRepository, record
from vivero_control.domain.staff.factors import SecondFactorRepository
from vivero_control.domain.staff.identity import of_staff


class StaffCodes:
    """Checks codes; wrong ones are limited for each account, wherever they come from."""

    def __init__(self, database: Database, limiter: Limiter, secrets: SealedSecrets, clock: Clock) -> None:
        self._database = database
        self._limiter = limiter
        self._secrets = secrets
        self._clock = clock

    async def check(self, member: StaffMember, code: str | None) -> StaffSecondFactor | None:
        """Of who has typed the right password: the second factor that was proven, None where there is none.

        Raises:
            CodeNeededError: there is one, and no code came.
            WrongCodeError: it is wrong, or was used before.
            TooManyRequestsError: too many were.
        """
        async with self._database.transaction() as session:
            factor = await SecondFactorRepository(session).active(member.id)
        if factor is None:
            return None
        if not code:
            raise CodeNeededError
        (tally,) = await self._limiter.count_all((GUESSES, str(member.id)))
        if not await self._spend(member, factor, code.strip()):
            raise WrongCodeError
        await self._limiter.give_back(tally)
        return factor

    def step_of(self, staff_id: UUID, sealed: bytes, code: str) -> int | None:
        """The step whose code this is; None if it is wrong now, or the secret was sealed with another key."""
        secret = self._secrets.opened(str(staff_id), sealed)
        return None if secret is None else totp.step_of(secret, code, self._clock().timestamp())

    async def _spend(self, member: StaffMember, factor: StaffSecondFactor, code: str) -> bool:
        async with self._database.transaction() as session:
            factors = SecondFactorRepository(session)
            if len(code) == totp.DIGITS:
                step = self.step_of(member.id, factor.secret, code)
                return step is not None and await factors.spend_step(member.id, step)
            spent = await factors.spend_code(member.id, digest_of_recovery_code(code))
            if spent:
                await AuditRepository(session).add(record(of_staff("use-recovery-code", member), self._clock(), DONE))
            return spent
