"""SQL about signups."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from vivero_control.db.repository import Repository
from vivero_control.db.tables import Signup
from vivero_control.domain.signups.errors import SlugTakenError


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

    async def tried(self, account_id: UUID, since: datetime) -> Sequence[Signup]:
        """The account's workspaces since then, also those that are gone; not what failed."""
        statement = select(Signup).where(
            Signup.account_id == account_id, Signup.created_at > since, Signup.failure.is_(None)
        )
        return (await self.session.scalars(statement.order_by(Signup.created_at))).all()

    async def release(self, signup_id: str) -> None:
        """The slug is free for others."""
        await self.session.execute(update(Signup).where(Signup.id == signup_id).values(slug_claim=None))

    async def fail(self, signup_id: str, sentence: str) -> None:
        """It will never succeed; its slug is free."""
        statement = update(Signup).where(Signup.id == signup_id).values(slug_claim=None, failure=sentence[:500])
        await self.session.execute(statement)

    async def revive(self, signup_id: str, slug: str) -> None:
        """It is tried again, with its slug. Raises SlugTakenError when another signup holds that by now."""
        statement = update(Signup).where(Signup.id == signup_id).values(slug_claim=slug, failure=None)
        try:
            await self.session.execute(statement)
        except IntegrityError as error:
            raise SlugTakenError(slug) from error

    async def withdraw(self, signup_id: str) -> None:
        """As if it had never been asked for."""
        await self.session.execute(delete(Signup).where(Signup.id == signup_id))
