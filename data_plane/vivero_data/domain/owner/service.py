"""Makes the first account; doing it again changes nothing."""

import re
from typing import Final

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.limits import repository as counters
from vivero_data.domain.owner import repository
from vivero_data.domain.owner.schemas import OwnerAccount, OwnerState
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Role
from vivero_data.domain.users.service import name_problem, normal_email
from vivero_data.errors import FieldError, InvalidInputError

# Bounded costs, so that a hash cannot make every login take a gigabyte.
_PHC: Final = re.compile(r"\$argon2id\$v=19\$m=\d{4,6},t=\d{1,2},p=\d\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}")


class OwnerService:
    """The owner's account, on the operator's word or by `create-owner` on the command line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, account: OwnerAccount) -> OwnerState:
        """Create the owner unless there is one; an existing account is never changed.

        Raises:
            InvalidInputError: not an e-mail address, or not an argon2id hash.
        """
        email = _check(account)
        async with self._database.transaction() as tx:
            # The counter's lock makes two calls at once one after the other.
            await counters.lock(tx, "users")
            owner = await repository.first_owner(tx)
            if owner is not None:
                return OwnerState(owner, created=False)
            return await self._create(tx, email, account)

    async def _create(self, tx: Connection, email: str, account: OwnerAccount) -> OwnerState:
        await users.insert(tx, email, account.name.strip(), Role.OWNER, account.password_hash)
        # Counted, but not held against the plan: without an owner nobody could upgrade it.
        await counters.add(tx, "users", 1)
        await record(tx, None, "user.create", email, after={"email": email, "role": Role.OWNER.value})
        return OwnerState(email, created=True)


def _check(account: OwnerAccount) -> str:
    email = normal_email(account.email)
    problems = {
        "email": None if email else "must be an e-mail address such as name@example.com",
        "name": name_problem(account.name),
        "password_hash": None if _PHC.fullmatch(account.password_hash) else "must be an argon2id PHC string",
    }
    errors = [FieldError(field, text) for field, text in problems.items() if text]
    if errors or email is None:
        raise InvalidInputError("; ".join(f"{error.field}: {error.message}" for error in errors), errors=errors)
    return email
