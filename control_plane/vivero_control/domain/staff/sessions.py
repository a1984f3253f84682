"""Sessions of staff for pages: the cookie holds a random key, Valkey holds who it is."""

from typing import Final

from litestar.datastructures import Cookie
from litestar.stores.valkey import ValkeyStore
from valkey.exceptions import ValkeyError
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError
from vivero_web.security import host_cookie
from vivero_web.tokens import digest, new_session, seconds_left

from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.staff.service import StaffService

SESSION_COOKIE: Final = "__Host-vivero-staff"
SECONDS: Final = 8 * 3600  # a working day; every request renews it
LONGEST_SECONDS: Final = 24 * 3600
"""However much it is used."""


class StaffSessions:
    """Opened after a login, read on every page, closed at logout or by a password change. Without Valkey: 503."""

    def __init__(self, store: ValkeyStore, staff: StaffService, clock: Clock) -> None:
        self._store = store
        self._staff = staff
        self._clock = clock

    async def open(self, staff: StaffView) -> Cookie:
        """The cookie to set on the answer to a login."""
        value = new_session(self._clock())
        try:
            await self._store.set(_key(value), f"{staff.id} {staff.stamp}", expires_in=SECONDS)
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error
        return host_cookie(SESSION_COOKIE, value, LONGEST_SECONDS)

    async def read(self, value: str | None) -> StaffView | None:
        """Whose session it is; None when it has ended."""
        seconds = seconds_left(value, self._clock(), unused=SECONDS, longest=LONGEST_SECONDS) if value else 0
        if not value or not seconds:
            return None
        try:
            stored = await self._store.get(_key(value), renew_for=seconds)
        except (ValkeyError, OSError) as error:
            raise UnavailableError from error
        if not stored:
            return None
        staff_id, _, stamp = stored.decode().partition(" ")
        return await self._staff.find(staff_id, stamp)

    async def close(self, value: str | None) -> Cookie:
        """The cookie that ends it in the browser as well."""
        member = await self.read(value)
        if value and member:
            try:
                await self._store.delete(_key(value))
            except (ValkeyError, OSError) as error:
                raise UnavailableError from error
            await self._staff.note_logout(member)
        return host_cookie(SESSION_COOKIE, "", 0)


def _key(value: str) -> str:
    """Its digest: whoever reads the store cannot become staff with it."""
    return f"session:{digest(value).hex()}"
