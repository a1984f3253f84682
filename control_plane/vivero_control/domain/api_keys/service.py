"""API keys of staff: made and ended by a person, used by programs on that person's behalf.

A key may do what both its scopes and its owner's role allow at that moment (`domain/staff/guards.py`). It ends with the
person: a deactivation deletes it.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.api_keys import (
    MAX_KEYS,
    USE_NOTED_EVERY,
    ApiKeyChanges,
    KeyNotFoundError,
    Rotation,
    TooManyKeysError,
    key_name_problem,
    new_key_problems,
)
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError
from vivero_web.key_tokens import KeyTokens, new_prefix
from vivero_web.text import tidy
from vivero_web.tokens import derive_key, digest

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffApiKey as Row
from vivero_control.domain.api_keys.repository import StaffApiKeyRepository
from vivero_control.domain.api_keys.schemas import (
    MARK,
    CreatedStaffApiKey,
    NewStaffApiKey,
    StaffApiKey,
    StaffApiKeyList,
)
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.staff.errors import NoSessionError
from vivero_control.domain.staff.identity import can_log_in, present, staff_subject
from vivero_control.domain.staff.policies import scopes_open_to
from vivero_control.domain.staff.repository import StaffRepository
from vivero_control.domain.staff.schemas import Scope, StaffView


class StaffApiKeys:
    """The caller's own keys, and the login of programs."""

    def __init__(self, database: Database, session_key: str, clock: Clock, *, second_factor_required: bool) -> None:
        self._database = database
        self._tokens = KeyTokens(derive_key(session_key, "vivero-control/api-keys"), MARK)
        self._second_factor_required = second_factor_required
        self._clock = clock

    async def holder(self, token: str) -> StaffView | None:
        """Who acts with the key; None when it is mistyped, revoked or expired, or its owner may no longer log in."""
        prefix, now = self._tokens.prefix_of(token), self._clock()
        if prefix is None:
            return None
        async with self._database.transaction() as session:
            keys = StaffApiKeyRepository(session)
            found = await keys.good(prefix, digest(token).hex(), now)
            if found is None:
                return None
            owner = await present(session, str(found.staff_id), required=self._second_factor_required)
            if owner is None:
                return None
            if found.last_used_at is None or now - found.last_used_at >= USE_NOTED_EVERY:
                await keys.note_use(found.id, now)
            return msgspec.structs.replace(owner, api_key=f"{MARK}{prefix}", scopes=frozenset(_scopes(found)))

    async def all(self, member: StaffView) -> StaffApiKeyList:
        async with self._database.transaction() as session:
            rows = await StaffApiKeyRepository(session).of(UUID(member.id))
        return StaffApiKeyList(items=tuple(self._view(row) for row in rows))

    async def get(self, number: int, member: StaffView) -> StaffApiKey:
        """Raises KeyNotFoundError."""
        async with self._database.transaction() as session:
            return self._view(await _own(session, number, member))

    async def make(self, new: NewStaffApiKey, member: StaffView) -> CreatedStaffApiKey:
        """A key of the member's; its token is in this answer only.

        Raises:
            InvalidInputError: naming every field at fault.
            TooManyKeysError: the member has enough.
            NoSessionError: the member was deactivated at this moment.
        """
        _check(new, member)
        prefix, now, staff_id = new_prefix(), self._clock(), UUID(member.id)
        token = self._tokens.new(prefix)
        row = Row(
            staff_id=staff_id,
            name=tidy(new.name),
            prefix=prefix,
            scopes=" ".join(scope for scope in Scope if scope in new.scopes or scope is Scope.READ),
            digest=digest(token).hex(),
            created_at=now,
            expires_at=now + timedelta(days=new.valid_days),
            valid_days=new.valid_days,
        )
        async with self._database.transaction() as session:
            owner = (await StaffRepository(session).locked(staff_id)).get(staff_id)
            if owner is None or not can_log_in(owner):
                raise NoSessionError
            if await StaffApiKeyRepository(session).count(staff_id) >= MAX_KEYS:
                raise TooManyKeysError
            await StaffApiKeyRepository(session).add(row)
            await self._note(session, member, "make-api-key", row)
            return self._with_token(row, token)

    async def change(self, number: int, changes: ApiKeyChanges, member: StaffView) -> StaffApiKey:
        """Rename it. Raises InvalidInputError, KeyNotFoundError."""
        name = None if changes.name is None else tidy(changes.name)
        if name is not None and (problem := key_name_problem(name)):
            raise InvalidInputError.of("name", problem)
        async with self._database.transaction() as session:
            row = await _own(session, number, member, locked=True)
            if name is not None and name != row.name:
                row.name = name
                await self._note(session, member, "rename-api-key", row)
            return self._view(row)

    async def rotate(self, number: int, rotation: Rotation, member: StaffView) -> CreatedStaffApiKey:
        """Another secret, good for as many days as the key was made for; the one from before ends a little later.

        Raises:
            KeyNotFoundError: the member has no such key.
        """
        async with self._database.transaction() as session:
            row, now = await _own(session, number, member, locked=True), self._clock()
            token = self._tokens.new(row.prefix)
            row.old_digest, row.old_until = row.digest, min(now + rotation.overlap, row.expires_at)
            row.digest, row.expires_at = digest(token).hex(), now + timedelta(days=row.valid_days)
            await self._note(session, member, "rotate-api-key", row)
            return self._with_token(row, token)

    async def revoke(self, number: int, member: StaffView) -> None:
        """No secret of it is good any more. Raises KeyNotFoundError."""
        async with self._database.transaction() as session:
            row = await _own(session, number, member, locked=True)
            await session.delete(row)
            await self._note(session, member, "revoke-api-key", row)

    async def _note(self, session: AsyncSession, member: StaffView, action: str, row: Row) -> None:
        detail = {
            "name": row.name,
            "prefix": f"{MARK}{row.prefix}",
            "scopes": row.scopes.split(),
            "expires_at": row.expires_at.isoformat(),
        }
        act = AuditAction(actor=member.email, action=action, subject=staff_subject(member.id), reason="", detail=detail)
        await AuditRepository(session).add(record(act, self._clock(), DONE))

    def _view(self, row: Row) -> StaffApiKey:
        return StaffApiKey(**self._fields(row))

    def _with_token(self, row: Row, token: str) -> CreatedStaffApiKey:
        return CreatedStaffApiKey(**self._fields(row), token=token)

    def _fields(self, row: Row) -> dict[str, Any]:
        return {
            "id": row.id,
            "name": row.name,
            "prefix": f"{MARK}{row.prefix}",
            "scopes": _scopes(row),
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "valid_days": row.valid_days,
            "last_used_at": row.last_used_at,
            "previous_until": row.old_until if row.old_until and row.old_until > self._clock() else None,
        }


async def _own(session: AsyncSession, number: int, member: StaffView, *, locked: bool = False) -> Row:
    found = await StaffApiKeyRepository(session).one(UUID(member.id), number, locked=locked)
    if found is None:
        raise KeyNotFoundError
    return found


def _scopes(row: Row) -> list[Scope]:
    return [Scope(scope) for scope in row.scopes.split()]


def _check(new: NewStaffApiKey, member: StaffView) -> None:
    if errors := new_key_problems(new.name, new.scopes, scopes_open_to(member.role), member.role):
        raise InvalidInputError.of_all(errors)
