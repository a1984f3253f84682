"""Two-step login: set up by a person, asked for at each login with a password.

The app's secret is stored encrypted under a key that is derived from the workspace's key of files. A copy of the
workspace has another key and so cannot check codes; recovery codes, of which only digests are stored, work there.
A login ticket of the control plane needs no code: its owner proved themselves there.

An owner can require it of everybody: who has not set it up can do nothing else with a login, and anybody can end theirs
only to set it up again. API keys go on: they are made in a login that was proven so, and a program cannot type a code.
"""

import time

import msgspec
from vivero_web import totp
from vivero_web.errors import InvalidInputError
from vivero_web.limiter import Limiter
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.sealed import SealedSecrets
from vivero_web.second_factors import (
    GUESSES,
    ActiveAlreadyError,
    CodeNeededError,
    CodeRefusedError,
    Enrolment,
    NotActiveError,
    SecondFactor,
    WrongCodeError,
    digest_of_recovery_code,
    new_recovery_codes,
)

from vivero_data.clients.cache import ExpiringValues
from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.auth import repository as sessions
from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.second_factors import repository
from vivero_data.domain.second_factors.repository import StoredFactor
from vivero_data.domain.second_factors.schemas import LoginRules, OwnFactorFirstError
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Actor, Permission, User, require_may_assign, require_permission
from vivero_data.domain.users.service import found


class SecondFactorService:
    """The caller's own; administrators end those of others."""

    def __init__(  # noqa: PLR0913, PLR0917  its dependencies
        self,
        database: Database,
        passwords: Passwords,
        logins: Logins,
        limiter: Limiter,
        identity: IdentityService,
        file_key: str,
        spent: ExpiringValues | None,
    ) -> None:
        """`spent`: where used codes are noted if the schema may only be read."""
        self._database = database
        self._passwords = passwords
        self._logins = logins
        self._limiter = limiter
        self._identity = identity
        self._secrets = SealedSecrets(file_key, "vivero-data", "second-factors")
        self._spent = spent

    async def get(self, actor: Actor) -> SecondFactor:
        async with self._database.read() as connection:
            stored = await repository.get(connection, actor.user_id)
        if stored is None or not stored.active:
            return SecondFactor(active=False)
        return SecondFactor(active=True, since=stored.since, recovery_codes=stored.codes_left)

    async def is_active(self, actor: Actor, user_id: int) -> bool:
        """Whether another has it, for who could end it."""
        require_permission(actor, Permission.MANAGE_USERS)
        async with self._database.read() as connection:
            stored = await repository.get(connection, user_id)
        return stored is not None and stored.active

    async def rules(self, actor: Actor) -> LoginRules:
        """What holds for everybody."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return LoginRules(await repository.is_required(connection))

    async def change_rules(self, actor: Actor, rules: LoginRules) -> LoginRules:
        """Require it of everybody, or of nobody.

        Raises:
            NotAllowedError: the actor is no owner.
            OwnFactorFirstError: they have none themselves.
        """
        require_permission(actor, Permission.MANAGE_ADMINS)
        async with self._database.transaction() as tx:
            own = await repository.get_locked(tx, actor.user_id)
            if rules.second_factor_required and not (own and own.active):
                raise OwnFactorFirstError
            before = LoginRules(await repository.is_required(tx, lock=True))
            if rules != before:
                await repository.require(tx, required=rules.second_factor_required)
                old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(rules)
                await record(tx, actor, "workspace.login_rules", "settings", before=old, after=new)
        return rules

    async def begin(self, actor: Actor, password: str, address: str) -> Enrolment:
        """A new secret for the app; nothing changes until a code of it is confirmed.

        Raises:
            InvalidInputError: it is not the actor's password.
            ActiveAlreadyError: there is one.
        """
        await self._prove(actor, password, address)
        secret = totp.new_secret()
        async with self._database.transaction() as tx:
            stored = await repository.get_locked(tx, actor.user_id)
            if stored is not None and stored.active:
                raise ActiveAlreadyError
            await repository.put(tx, actor.user_id, self._secrets.sealed(actor.user_id, secret))
        return await self._enrolment(actor, secret)

    async def pending(self, actor: Actor) -> Enrolment:
        """What is to be confirmed, once more.

        Raises:
            NotActiveError: nothing was begun.
        """
        async with self._database.read() as connection:
            stored = await repository.get(connection, actor.user_id)
        secret = None if stored is None or stored.active else self._secrets.opened(actor.user_id, stored.sealed)
        if secret is None:
            raise NotActiveError
        return await self._enrolment(actor, secret)

    async def confirm(self, actor: Actor, code: str) -> list[str]:
        """Activate it, end the actor's other sessions; the recovery codes, which nobody sees again.

        Raises:
            CodeRefusedError: it is not the app's present code.
            NotActiveError: nothing was begun.
            ActiveAlreadyError: it is active.
        """
        tally = (await self._limiter.count_all((GUESSES, str(actor.user_id))))[0]
        codes = new_recovery_codes()
        async with self._database.transaction() as tx:
            stored = await repository.get_locked(tx, actor.user_id)
            if stored is not None and stored.active:
                raise ActiveAlreadyError
            secret = stored and self._secrets.opened(actor.user_id, stored.sealed)
            if not secret:
                raise NotActiveError
            step = totp.step_of(secret, code.strip(), time.time())
            if step is None or not await repository.spend_step(tx, actor.user_id, step):
                raise CodeRefusedError
            await repository.activate(tx, actor.user_id)
            await repository.replace_codes(tx, actor.user_id, [digest_of_recovery_code(one) for one in codes])
            await sessions.revoke_all(tx, actor.user_id, but=actor.session_id)
            await record(tx, actor, "second_factor.start", actor.email)
        await self._limiter.give_back(tally)
        return codes

    async def renew_codes(self, actor: Actor, password: str, address: str) -> list[str]:
        """Other recovery codes in the place of those there are.

        Raises:
            InvalidInputError: it is not the actor's password.
            NotActiveError: there is no second factor.
        """
        await self._prove(actor, password, address)
        codes = new_recovery_codes()
        async with self._database.transaction() as tx:
            stored = await repository.get_locked(tx, actor.user_id)
            if stored is None or not stored.active:
                raise NotActiveError
            await repository.replace_codes(tx, actor.user_id, [digest_of_recovery_code(one) for one in codes])
            await record(tx, actor, "second_factor.renew_codes", actor.email)
        return codes

    async def end(self, actor: Actor, password: str, address: str) -> None:
        """The password alone is enough from now on.

        Raises:
            InvalidInputError: it is not the actor's password.
            NotActiveError: there is no second factor.
        """
        await self._prove(actor, password, address)
        async with self._database.transaction() as tx:
            await self._delete(tx, actor, actor.user_id, actor.email, "second_factor.end")

    async def reset(self, actor: Actor, user_id: int) -> None:
        """End another's, who has lost phone and codes.

        Raises:
            NotAllowedError: the actor may not change this user.
            NotActiveError: they have none.
        """
        async with self._database.transaction() as tx:
            user = found(await users.get_locked(tx, user_id))
            require_may_assign(actor, user.role, user.role)
            await self._delete(tx, actor, user_id, user.email, "second_factor.reset")

    async def check(self, user: User, code: str | None) -> None:
        """At a login whose password was right; nothing if this user has no second factor.

        Raises:
            CodeNeededError: there is one, and no code came.
            WrongCodeError: it is wrong, or was used before.
            TooManyRequestsError: too many were.
        """
        async with self._database.read() as connection:
            stored = await repository.get(connection, user.id)
        if stored is None or not stored.active:
            return
        if not code:
            raise CodeNeededError
        (tally,) = await self._limiter.count_all((GUESSES, str(user.id)))
        if not await self._is_good(user, stored, code.strip()):
            raise WrongCodeError
        await self._limiter.give_back(tally)

    async def _is_good(self, user: User, stored: StoredFactor, code: str) -> bool:
        if len(code) != totp.DIGITS:
            return await self._spend_recovery_code(user, digest_of_recovery_code(code))
        secret = self._secrets.opened(user.id, stored.sealed)
        step = None if secret is None else totp.step_of(secret, code, time.time())
        return step is not None and await self._spend_step(user.id, step)

    async def _spend_step(self, user_id: int, step: int) -> bool:
        if self._spent is not None:
            return await self._spent.put_new(f"code:{user_id}:{step}", "", 10 * totp.SECONDS)
        async with self._database.transaction() as tx:
            return await repository.spend_step(tx, user_id, step)

    async def _spend_recovery_code(self, user: User, digest_of_code: bytes) -> bool:
        if self._spent is not None:
            return False  # it could be used again and again where nothing is written
        async with self._database.transaction() as tx:
            spent = await repository.spend_code(tx, user.id, digest_of_code)
            if spent:
                actor = Actor(user.id, user.email, user.name, user.role)
                await record(tx, actor, "second_factor.use_recovery_code", user.email)
        return spent

    async def _prove(self, actor: Actor, password: str, address: str) -> None:
        async with self._database.read() as connection:
            stored = await users.password_hash(connection, actor.user_id)
        async with self._logins.guess(actor.email, address):
            if not await self._passwords.verify(stored, password):
                raise InvalidInputError.of("current_password", "is not your current password")

    @staticmethod
    async def _delete(tx: Connection, actor: Actor, user_id: int, email: str, action: str) -> None:
        stored = await repository.get_locked(tx, user_id)
        if stored is None or not stored.active:
            raise NotActiveError
        await repository.delete(tx, user_id)
        await record(tx, actor, action, email)

    async def _enrolment(self, actor: Actor, secret: bytes) -> Enrolment:
        identity = await self._identity.current()
        return Enrolment(totp.shown(secret), totp.uri(secret, identity.host("") or identity.name, actor.email))
