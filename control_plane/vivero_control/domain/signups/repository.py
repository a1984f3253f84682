"""SQL about signups and the accounts they belong to."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.exc import IntegrityError

from vivero_control.db.database import Repository
from vivero_control.db.tables import Account, Signup
from vivero_control.domain.signups.policies import SlugTakenError, mailbox


class SignupRepository(Repository[Signup]):
    """Signups; the unique slug_claim decides who gets a slug."""

    model_type = Signup

    async def put(self, signup: Signup) -> None:
        """Raises SlugTakenError when another signup holds the slug."""
        try:
            await self.add(signup)
        except IntegrityError as error:
            raise SlugTakenError(signup.slug) from error

    async def holder(self, slug: str) -> Signup | None:
        return await self.get_one_or_none(slug_claim=slug)

    async def trials_since(self, account_id: UUID, since: datetime) -> Sequence[Signup]:
        """The account's signups since then that did not fail, deleted workspaces included."""
        statement = select(Signup).where(
            Signup.account_id == account_id, Signup.created_at > since, Signup.failure.is_(None)
        )
        return (await self.session.scalars(statement.order_by(Signup.created_at))).all()

    async def release(self, signup_id: str) -> None:
        """Free the slug for others."""
        await self.session.execute(update(Signup).where(Signup.id == signup_id).values(slug_claim=None))

    async def fail(self, signup_id: str, sentence: str) -> None:
        """It will never succeed; its slug is free."""
        statement = update(Signup).where(Signup.id == signup_id).values(slug_claim=None, failure=sentence[:500])
        await self.session.execute(statement)

    async def retry(self, signup_id: str, slug: str) -> None:
        """Undo `fail`. Raises SlugTakenError when another signup holds the slug by now."""
        statement = update(Signup).where(Signup.id == signup_id).values(slug_claim=slug, failure=None)
        try:
            await self.session.execute(statement)
        except IntegrityError as error:
            raise SlugTakenError(slug) from error

    async def remove(self, signup_id: str) -> None:
        await self.session.execute(delete(Signup).where(Signup.id == signup_id))


class AccountRepository(Repository[Account]):
    """Accounts, one for each mailbox."""

    model_type = Account

    async def id_of(self, email: str, now: datetime) -> UUID:
        """Id of this mailbox's account, created if there is none; concurrent calls get the same one.

        Its row is locked until the transaction ends, so that concurrent signups are counted one after the other.
        """
        key = mailbox(email)
        created = insert(Account).values(id=uuid4(), email=key, created_at=now)
        # One statement for either case: the row that is there afterwards is returned.
        statement = created.on_duplicate_key_update(email=key).returning(Account.id)
        return (await self.session.execute(statement)).scalar_one()
