"""SQL about accounts."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from vivero_control.db.repository import Repository
from vivero_control.db.tables import Account


class AccountRepository(Repository[Account]):
    """Accounts, one for each e-mail address."""

    model_type = Account

    async def of(self, email: str, now: datetime) -> Account:
        """The account of this address, made if there is none; two at once end up with the same one."""
        key = email.lower()
        found = await self.get_one_or_none(email=key)
        if found:
            return found
        try:
            async with self.session.begin_nested():
                return await self.add(Account(email=key, created_at=now))
        except IntegrityError:
            return await self.get_one(email=key)
