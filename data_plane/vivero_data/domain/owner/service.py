"""Makes the first account; doing it again changes nothing."""

import re
from typing import Final

from vivero_data.db.database import Connection
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
_NO_EMAIL: Final = "must be an e-mail address such as name@example.com"


def problems_with(account: OwnerAccount) -> list[FieldError]:
    """Every field at fault."""
    problems = {
        "email": None if normal_email(account.email) else _NO_EMAIL,
        "name": name_problem(account.name),
        "password_hash": None if _PHC.fullmatch(account.password_hash) else "must be an argon2id PHC string",
    }
    return [FieldError(field, text) for field, text in problems.items() if text]


async def ensure(tx: Connection, account: OwnerAccount) -> OwnerState:
    """Create the owner unless there is one; an existing account is never changed.

    Raises:
        InvalidInputError: not an e-mail address; `problems_with` finds the rest.
    """
    email = normal_email(account.email)
    if email is None:
        raise InvalidInputError.of("email", _NO_EMAIL)
    owner = await repository.first_owner_locked(tx)
    if owner is not None:
        return OwnerState(owner, created=False)
    await users.insert(tx, email, account.name.strip(), Role.OWNER, account.password_hash)
    # Counted, but not held against the plan: without an owner nobody could upgrade it.
    await counters.add(tx, "users", 1)
    await record(tx, None, "user.create", email, after={"email": email, "role": Role.OWNER.value})
    return OwnerState(email, created=True)
