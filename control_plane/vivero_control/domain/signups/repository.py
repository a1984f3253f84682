"""SQL about signups: their accounts, the links that confirm them, a person's one trial, a company's first signup."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.exc import IntegrityError

from vivero_control.db.database import Repository
from vivero_control.db.tables import Account, Company, Signup, SignupLink, Trial
from vivero_control.domain.signups.people import PROBE_DOMAIN, mailbox
from vivero_control.domain.signups.policies import TRIALS_WITHIN, SlugTakenError
from vivero_control.domain.tenants.policies import CONFIRM_WITHIN


def by_a_probe() -> ColumnElement[bool]:
    """Of a signup: it is that of a synthetic probe, and counts for nothing (`people.is_probe`)."""
    return Signup.email.endswith(f"@{PROBE_DOMAIN}")


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

    async def trials(self, account_id: UUID, now: datetime) -> Sequence[Signup]:
        """The account's signups that count: none that failed, but deleted workspaces as well.

        One that is not confirmed counts until it is closed for that: who types the address of others uses it up for a week at most.
        """
        counts = Signup.confirmed_at.is_not(None) | (Signup.created_at > now - CONFIRM_WITHIN)
        recent = Signup.created_at > now - TRIALS_WITHIN
        statement = select(Signup).where(Signup.account_id == account_id, recent, counts, Signup.failure.is_(None))
        return (await self.session.scalars(statement.order_by(Signup.created_at))).all()

    async def of(self, email: str) -> Sequence[Signup]:
        """Those of this very address, in lower case, the first first; another spelling may be another person's."""
        mine = select(Account.id).where(Account.email == mailbox(email))
        statement = select(Signup).where(Signup.account_id.in_(mine), func.lower(Signup.email) == email)
        return (await self.session.scalars(statement.order_by(Signup.created_at))).all()

    async def release(self, signup_id: str) -> None:
        """Free the slug for others."""
        await self.session.execute(update(Signup).where(Signup.id == signup_id).values(slug_claim=None))

    async def fail(self, signup_id: str, sentence: str) -> None:
        """It will never succeed; its slug is free, and so is its person's trial."""
        await self.session.execute(delete(Trial).where(Trial.signup_id == signup_id))
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

    async def probes(self, before: datetime) -> Sequence[str]:
        """Ids of the signups of synthetic probes from before."""
        statement = select(Signup.id).where(by_a_probe(), Signup.created_at < before)
        return (await self.session.scalars(statement)).all()

    async def remove_probe(self, signup_id: str) -> None:
        """With the account, which is of this signup alone; that of a person stays."""
        account = await self.session.scalar(select(Signup.account_id).where(Signup.id == signup_id, by_a_probe()))
        if account is not None:
            await self.remove(signup_id)
            await self.session.execute(delete(Account).where(Account.id == account))


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


class SignupLinkRepository(Repository[SignupLink]):
    """Links that confirm addresses, by digest."""

    model_type = SignupLink

    async def put(self, digest: str, signup_id: str, expires_at: datetime) -> None:
        await self.add(SignupLink(digest=digest, signup_id=signup_id, expires_at=expires_at))

    async def signup_of(self, digest: str, now: datetime) -> Signup | None:
        """Whose link it is, locked until the transaction ends; None for one that is spent or too old.

        Of two who follow links of one signup at once, the second finds it spent: the lock is taken before the link is read.
        """
        link = SignupLink.digest == digest, SignupLink.expires_at > now
        signup_id = await self.session.scalar(select(SignupLink.signup_id).where(*link))
        if signup_id is None:
            return None
        signup = await SignupRepository(self.session).get_one_or_none(id=signup_id, with_for_update=True)
        return signup if await self.session.scalar(select(SignupLink.digest).where(*link)) else None

    async def spend_all(self, signup_id: str) -> None:
        await self.session.execute(delete(SignupLink).where(SignupLink.signup_id == signup_id))

    async def forget(self, before: datetime) -> int:
        """Delete links that expired before; returns how many."""
        statement = delete(SignupLink).where(SignupLink.expires_at < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount


class TrialRepository(Repository[Trial]):
    """The one trial of a person within TRIALS_WITHIN; the primary key decides between signups that are confirmed at once."""

    model_type = Trial

    async def claim(self, person: str, signup_id: str, now: datetime) -> str:
        """Id of the signup that has the person's trial: this one, if none had it."""
        made = insert(Trial).values(person=person, signup_id=signup_id, claimed_at=now)
        is_over = Trial.claimed_at <= now - TRIALS_WITHIN
        # Assigned from left to right: the first looks at the old moment.
        statement = made.on_duplicate_key_update(
            [
                ("signup_id", func.if_(is_over, made.inserted.signup_id, Trial.signup_id)),
                ("claimed_at", func.if_(is_over, made.inserted.claimed_at, Trial.claimed_at)),
            ]
        )
        return (await self.session.execute(statement.returning(Trial.signup_id))).scalar_one()

    async def holder(self, person: str, now: datetime) -> Signup | None:
        """The signup that has the person's trial; None while it is free."""
        statement = (
            select(Signup)
            .join(Trial, Trial.signup_id == Signup.id)
            .where(Trial.person == person, Trial.claimed_at > now - TRIALS_WITHIN)
        )
        return (await self.session.scalars(statement)).one_or_none()


class CompanyRepository(Repository[Company]):
    """The first confirmed signup of each company."""

    model_type = Company

    async def claim(self, domain: str, signup_id: str, now: datetime) -> Signup:
        """The company's first signup: this one, if there was none."""
        made = insert(Company).values(domain=domain, signup_id=signup_id, confirmed_at=now)
        kept = made.on_duplicate_key_update(domain=domain).returning(Company.signup_id)
        first = (await self.session.execute(kept)).scalar_one()
        return await self.session.get_one(Signup, first)

    async def first(self, domain: str) -> Signup | None:
        statement = select(Signup).join(Company, Company.signup_id == Signup.id).where(Company.domain == domain)
        return (await self.session.scalars(statement)).one_or_none()

    async def replace(self, domain: str, signup_id: str, now: datetime) -> None:
        """The first one's workspace is gone: this one takes its place."""
        statement = update(Company).where(Company.domain == domain).values(signup_id=signup_id, confirmed_at=now)
        await self.session.execute(statement)
