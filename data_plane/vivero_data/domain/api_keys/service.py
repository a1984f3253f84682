"""API keys: made and ended by a person, used by programs on that person's behalf.

A key may do what both its scopes and its maker's role allow at that moment, and nothing while the account is
deactivated. What needs a person (accounts, passwords, keys themselves) is closed to it (`needs_person`).
"""

from datetime import timedelta
from typing import Any, Final

import msgspec
from vivero_web import clock
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
from vivero_web.errors import InvalidInputError, NotSignedInError
from vivero_web.key_tokens import KeyTokens, new_prefix
from vivero_web.text import tidy
from vivero_web.tokens import derive_key, digest

from vivero_data.db.database import Database
from vivero_data.domain.api_keys import repository
from vivero_data.domain.api_keys.schemas import MARK, ApiKey, CreatedApiKey, NewApiKey, Scope
from vivero_data.domain.audit.service import record
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

_SORT: Final = "-id"


def key_tokens(signing_key: str) -> KeyTokens:
    """Of the workspace with this key."""
    return KeyTokens(derive_key(signing_key, "vivero-data/api-keys"), MARK)


def scopes_open_to(actor: Actor) -> list[Scope]:
    """The scopes that the actor can give a key."""
    return [scope for scope in Scope if actor.may(Permission(scope))]


class ApiKeyService:
    """The caller's own keys, and the login of programs."""

    def __init__(self, database: Database, tokens: KeyTokens) -> None:
        self._database = database
        self._tokens = tokens

    def is_ours(self, token: str) -> bool:
        """Whether this workspace made the token; the key may have ended since."""
        return self._tokens.prefix_of(token) is not None

    async def authenticate(self, token: str) -> Actor:
        """Who acts with the key.

        Raises:
            NotSignedInError: it is mistyped, revoked or expired, or its maker's account is deactivated.
        """
        prefix = self._tokens.prefix_of(token)
        if prefix is None:
            raise NotSignedInError("This API key is not whole, or not of this workspace.")
        async with self._database.read() as connection:
            used = await repository.find(connection, prefix, digest(token))
            if used is None:
                raise NotSignedInError("This API key was revoked, has expired, or its maker may not log in any more.")
            if used.last_used_at is None or clock.now() - used.last_used_at >= USE_NOTED_EVERY:
                await repository.set_used(connection, used.key_id)
        return used.actor

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[ApiKey]:
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            found = await repository.select_page(connection, actor.user_id, limit, below)
        return page_of(found, limit, lambda key: cursors.by_id(_SORT, key.id))

    async def get(self, actor: Actor, key_id: int) -> ApiKey:
        async with self._database.read() as connection:
            return _found(await repository.get(connection, actor.user_id, key_id))

    async def create(self, actor: Actor, new: NewApiKey) -> CreatedApiKey:
        """A key of the actor's; its token is in this answer only.

        Raises:
            InvalidInputError: naming every field at fault.
            TooManyKeysError: the actor has enough.
        """
        name, scopes = tidy(new.name), check_new_key(actor, new)
        prefix, now = new_prefix(), clock.now()
        token = self._tokens.new(prefix)
        key = ApiKey(0, name, prefix, scopes, now, now + timedelta(days=new.valid_days), new.valid_days)
        async with self._database.transaction() as tx:
            if await repository.count_locked(tx, actor.user_id) >= MAX_KEYS:
                raise TooManyKeysError
            number = await repository.insert(tx, actor.user_id, key, digest(token))
            made = _found(await repository.get(tx, actor.user_id, number))
            await record(tx, actor, "api_key.create", _subject(made), after=_visible(made))
        return _with_token(made, token)

    async def change(self, actor: Actor, key_id: int, changes: ApiKeyChanges) -> ApiKey:
        """Rename it.

        Raises:
            InvalidInputError: the name cannot be used.
            KeyNotFoundError: the actor has no such key.
        """
        name = None if changes.name is None else tidy(changes.name)
        problem = None if name is None else key_name_problem(name)
        if problem:
            raise InvalidInputError.of("name", problem)
        async with self._database.transaction() as tx:
            before = _found(await repository.get_locked(tx, actor.user_id, key_id))
            if name is None or name == before.name:
                return before
            await repository.rename(tx, key_id, name)
            after = msgspec.structs.replace(before, name=name)
            await record(tx, actor, "api_key.update", _subject(after), before=_visible(before), after=_visible(after))
        return after

    async def rotate(self, actor: Actor, key_id: int, rotation: Rotation) -> CreatedApiKey:
        """Another secret, good for as many days as the key was made for; the one from before ends a little later.

        Raises:
            KeyNotFoundError: the actor has no such key.
        """
        async with self._database.transaction() as tx:
            before = _found(await repository.get_locked(tx, actor.user_id, key_id))
            now = clock.now()
            token = self._tokens.new(before.prefix.removeprefix(MARK))
            expires_at = now + timedelta(days=before.valid_days)
            await repository.rotate(
                tx, key_id, digest(token), expires_at, min(now + rotation.overlap, before.expires_at)
            )
            after = _found(await repository.get(tx, actor.user_id, key_id))
            await record(tx, actor, "api_key.rotate", _subject(after), before=_visible(before), after=_visible(after))
        return _with_token(after, token)

    async def delete(self, actor: Actor, key_id: int) -> None:
        """Revoke it: no secret of it is good any more.

        Raises:
            KeyNotFoundError: the actor has no such key.
        """
        async with self._database.transaction() as tx:
            key = _found(await repository.get_locked(tx, actor.user_id, key_id))
            await repository.delete(tx, key_id)
            await record(tx, actor, "api_key.delete", _subject(key), before=_visible(key))


def check_new_key(actor: Actor, new: NewApiKey) -> list[Scope]:
    """The scopes of a new key, in our order.

    Raises:
        InvalidInputError: naming every field at fault.
    """
    if errors := new_key_problems(new.name, new.scopes, scopes_open_to(actor), actor.role_name):
        raise InvalidInputError.of_all(errors)
    return [scope for scope in Scope if scope in new.scopes or scope is Scope.READ]


def _found(key: ApiKey | None) -> ApiKey:
    if key is None:
        raise KeyNotFoundError
    return key


def _subject(key: ApiKey) -> str:
    return f"{key.name} ({key.prefix})"


def _visible(key: ApiKey) -> dict[str, Any]:
    """A key as the audit log records it."""
    return {"name": key.name, "scopes": list(key.scopes), "expires_at": key.expires_at}


def _with_token(key: ApiKey, token: str) -> CreatedApiKey:
    return CreatedApiKey(**msgspec.structs.asdict(key), token=token)
