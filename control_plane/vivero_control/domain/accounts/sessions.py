"""Who manages a workspace from outside it: a one-time link by mail or from the workspace, then a cookie. Valkey holds both."""

from typing import Final

import msgspec
from litestar.datastructures import Cookie
from msgspec import Struct
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError
from vivero_web.clock import Clock
from vivero_web.errors import LinkSpentError, UnavailableError
from vivero_web.security import host_cookie
from vivero_web.tokens import digest, new_secret, new_session, seconds_left

COOKIE: Final = "__Host-vivero-account"
SESSION_SECONDS: Final = 2 * 3600
"""Every page renews it."""
LONGEST_SECONDS: Final = 12 * 3600
"""However many pages."""
LINK_SECONDS: Final = 3600


class Holder(Struct, frozen=True):
    """Who has come, and the Tenant that is managed, by name and uid: another one of this name is another's.

    Attributes:
        tenant: empty, as is the uid, while none of several is chosen.
        email: the mailbox that has got the link; empty for who came from the workspace itself, which can vouch for an
            owner of its own, and for no address.
    """

    tenant: str
    uid: str
    email: str = ""


class AccountSessions:
    """Without Valkey nobody gets in, and links stay good until they expire."""

    def __init__(self, client: Valkey, prefix: str, clock: Clock) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock

    async def new_link(self, holder: Holder) -> str:
        """The secret of a link that works once, within LINK_SECONDS."""
        secret = new_secret()
        await self._keep(self._key("account-link", secret), holder, LINK_SECONDS)
        return secret

    async def open(self, secret: str) -> Cookie:
        """The cookie for who has a link; the link is spent.

        Raises:
            LinkSpentError: it was used before, is too old, or never was one.
            UnavailableError: Valkey does not answer.
        """
        key = self._key("account-link", secret)
        holder = await self._read(("GET", key), ("DEL", key))
        if holder is None:
            raise LinkSpentError
        return await self._begin(holder)

    async def open_once(self, ticket_id: str, holder: Holder, seconds: int) -> Cookie:
        """The cookie for who has a ticket of a workspace, which is good for so many more seconds at most.

        Raises:
            LinkSpentError: it was used before.
            UnavailableError: Valkey does not answer.
        """
        try:
            is_first = await self._client.set(self._key("account-ticket", ticket_id), "spent", ex=seconds, nx=True)
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error
        if not is_first:
            raise LinkSpentError
        return await self._begin(holder)

    async def read(self, value: str | None) -> Holder | None:
        """Whose session it is; None when it has ended."""
        seconds = self._seconds_left(value)
        if not value or not seconds:
            return None
        key = self._key("account", value)
        return await self._read(("GET", key), ("EXPIRE", key, seconds))

    async def choose(self, value: str, holder: Holder) -> None:
        """Let a session that there is be about another workspace. Raises UnavailableError."""
        try:
            content = msgspec.json.encode(holder)
            await self._client.set(self._key("account", value), content, keepttl=True, xx=True)
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error

    async def close(self, value: str | None) -> Cookie:
        """The cookie that ends it in the browser as well."""
        if value:
            try:
                await self._client.delete(self._key("account", value))
            except (ValkeyError, OSError) as error:
                raise UnavailableError from error
        return host_cookie(COOKIE, "", 0)

    async def _begin(self, holder: Holder) -> Cookie:
        value = new_session(self._clock())
        await self._keep(self._key("account", value), holder, SESSION_SECONDS)
        return host_cookie(COOKIE, value, LONGEST_SECONDS)

    def _seconds_left(self, value: str | None) -> int:
        return seconds_left(value, self._clock(), unused=SESSION_SECONDS, longest=LONGEST_SECONDS) if value else 0

    async def _keep(self, key: str, holder: Holder, seconds: int) -> None:
        try:
            await self._client.set(key, msgspec.json.encode(holder), ex=seconds)
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error

    async def _read(self, *commands: tuple[str | int, ...]) -> Holder | None:
        """What the first of the commands finds; all are one step, so that of two callers only one spends a link."""
        try:
            async with self._client.pipeline(transaction=True) as pipe:
                for command in commands:
                    pipe.execute_command(*command)
                stored = (await pipe.execute())[0]
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error
        if not stored:
            return None
        try:
            return msgspec.json.decode(stored, type=Holder)
        except msgspec.DecodeError:
            return None  # as an older program wrote it: a new link is asked for

    def _key(self, kind: str, secret: str) -> str:
        """Its digest: what the store holds opens nothing."""
        return f"{self._prefix}{kind}:{digest(secret).hex()}"
