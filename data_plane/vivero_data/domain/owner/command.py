"""`create-owner`: the first account of a self-hosted workspace."""

from typing import Final

from vivero_web.errors import InvalidInputError
from vivero_web.passwords import Passwords
from vivero_web.text import password_problem

from vivero_data.db.database import Database
from vivero_data.db.schema import ensure_current
from vivero_data.domain.identity.service import configured
from vivero_data.domain.owner.service import OwnerAccount, OwnerState, ensure, problems_with
from vivero_data.settings import Settings

_DATABASE_TIMEOUT: Final = 30.0  # seconds to connect


async def create_owner(settings: Settings, email: str, name: str, password: str) -> OwnerState:
    """Check the password, hash it, and create the owner unless there is one.

    Raises:
        InvalidInputError: naming every field at fault.
        UnavailableError: the database does not answer.
    """
    problem = password_problem(password, email=email, company=configured(settings.env).name)
    if problem:
        raise InvalidInputError.of("password", problem)
    passwords = Passwords()
    database = Database(settings.database, settings.tls(), size=2)
    try:
        await database.open(_DATABASE_TIMEOUT)
        await ensure_current(database)
        hashed = await passwords.hash(password)
        errors = problems_with(OwnerAccount(email, name, hashed))
        if errors:
            raise InvalidInputError.of_all(errors)
        async with database.transaction() as tx:
            return await ensure(tx, email, name, hashed)
    finally:
        passwords.close()
        await database.close()
