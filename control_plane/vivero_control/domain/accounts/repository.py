"""SQL about accounts."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.dialects.mysql import insert

from vivero_control.db.repository import Repository
from vivero_control.db.tables import Account
from vivero_control.domain.accounts.policies import mailbox


class AccountRepository(Repository[Account]):
    """Accounts, one for each mailbox."""

    model_type = Account

    async def of(self, email: str, now: datetime) -> UUID:
        """Id of this mailbox's account, made if there is none; two at once end up with the same one.

        Its row is locked until the transaction ends: who counts what the account has, counts alone.
        """
        key = mailbox(email)
        made = insert(Account).values(id=uuid4(), email=key, created_at=now)
        # One statement for either case: the row that is there afterwards is returned.
        statement = made.on_duplicate_key_update(email=key).returning(Account.id)
        return (await self.session.execute(statement)).scalar_one()
