"""Enforces the plan's limits: exact under concurrency, because the counter's row is locked first.

The file is mounted from the operator's Secret and changes while we run, so a
new plan needs no restart.
"""

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import structlog
from vivero_web.errors import WebError

from vivero_data.db.database import Connection
from vivero_data.errors import OwnerUnconfirmedError, PlanFeatureError, PlanLimitError, SettingsError

Bound = Annotated[int, msgspec.Meta(ge=0)]


class Limits(msgspec.Struct, frozen=True):
    """The plan's limits; None is unlimited. `trial_ends_at` (RFC 3339) only on a trial.

    `plan_url`: where the owner chooses and pays a plan; None where none is sold.
    `confirm_url`: where the owner confirms the e-mail address; None once that is done, or where it is not asked for.
    `holds_data`: the workspace has been in use, so an empty schema means data loss.
    """

    plan: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    records: Bound | None = None
    users: Bound | None = None
    storage_bytes: Bound | None = None
    requests_per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None
    features: tuple[str, ...] = ()
    trial_ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    plan_url: Annotated[str, msgspec.Meta(pattern=r"^https://[^\s<>]+\Z", max_length=400)] | None = None
    confirm_url: Annotated[str, msgspec.Meta(pattern=r"^https://[^\s<>]+\Z", max_length=400)] | None = None
    holds_data: bool = False


ANALYTICS: Final = "analytics"
"""Pivot tables, and dashboards beside the one of the home page."""

Resource = Literal["records", "users", "storage_bytes"]

_STAT_SECONDS: Final = 1.0  # how stale the plan may be after the file changed
_WORDS: Final[dict[Resource, str]] = {"records": "records", "users": "users", "storage_bytes": "bytes of files"}

log = structlog.get_logger(__name__)


def read_limits(path: Path) -> Limits:
    """Parse the file.

    Raises:
        SettingsError: it cannot be read or is not what the operator writes.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Limits)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{path}: {error}") from error


def refusal(resource: Resource, limits: Limits, bound: int) -> PlanLimitError:
    """Which limit is reached, and what to do about it."""
    return PlanLimitError(
        f"The {limits.plan} plan includes {bound:,} {_WORDS[resource]}, and they are used up. "
        "Remove some, or ask the workspace's owner to upgrade the plan."
    )


def require_feature(limits: Limits, feature: str, words: str) -> None:
    """Check that the plan has a feature, which `words` name for people.

    Raises:
        PlanFeatureError: it has not.
    """
    if feature not in limits.features:
        raise PlanFeatureError(
            f"The {limits.plan} plan does not include {words}. The workspace's owner can upgrade the plan."
        )


def require_confirmed(limits: Limits) -> None:
    """Check that mail is known to reach the owner; before that nothing is mailed to people whom others name.

    Raises:
        OwnerUnconfirmedError: it is not.
    """
    if limits.confirm_url is not None:
        raise OwnerUnconfirmedError


class LimitService:
    """The current plan, and the counters of what is used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._limits = read_limits(path)
        self._stamp = self._stat()
        self._looked = time.monotonic()

    @property
    def current(self) -> Limits:
        """The plan's limits, at most a second old."""
        if time.monotonic() - self._looked >= _STAT_SECONDS:
            self._looked = time.monotonic()
            self._reload()
        return self._limits

    async def reserve(self, tx: Connection, resource: Resource, amount: int = 1) -> None:
        """Add `amount` to a resource's counter in this transaction; call it first, for a consistent lock order.

        Raises:
            PlanLimitError: the limit would be exceeded.
        """
        bound: int | None = getattr(self.current, resource)
        if await add(tx, resource, amount, bound):
            return
        taken = await lock(tx, resource)  # nothing was added: the bound, an amount of none, or no such counter
        if bound is not None and taken + amount > bound:
            raise refusal(resource, self.current, bound)

    async def room(self, connection: Connection, resource: Resource) -> int | None:
        """How much of a resource is left; None is without a limit."""
        bound: int | None = getattr(self.current, resource)
        return None if bound is None else max(0, bound - (await counts(connection))[resource])

    async def hold(self, tx: Connection, resource: Resource) -> None:
        """Lock the counter, when it is not yet known whether it will change."""
        await lock(tx, resource)

    async def release(self, tx: Connection, resource: Resource, amount: int = 1) -> None:
        """Subtract from a resource's counter; like `reserve`, first in its transaction."""
        await add(tx, resource, -amount)

    async def change(self, tx: Connection, resource: Resource, amount: int) -> None:
        """Add to a resource's counter, or subtract; like `reserve`, first in its transaction.

        Raises:
            PlanLimitError: the limit would be exceeded.
        """
        await (self.reserve(tx, resource, amount) if amount > 0 else self.release(tx, resource, -amount))

    def _reload(self) -> None:
        stamp = self._stat()
        if stamp == self._stamp:
            return
        try:
            self._limits = read_limits(self._path)
        except SettingsError as error:
            # Keep the last valid plan: a half-written file must not lock users out.
            log.warning("limits_unreadable", problem=str(error))
            return
        self._stamp = stamp
        log.info("limits_changed", plan=self._limits.plan)

    def _stat(self) -> tuple[int, int, int]:
        try:
            found = os.stat(self._path)  # noqa: PTH116  follows the Secret volume's symlinks
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_ino, found.st_size)


async def lock(tx: Connection, name: str) -> int:
    """Lock the counter for this transaction; returns its value."""
    row = await tx.fetch_one("SELECT value FROM counters WHERE name = %s FOR UPDATE", name)
    if row is None:
        raise WebError(f"The counter {name} is missing.")
    return int(row[0])


async def add(tx: Connection, name: str, amount: int, bound: int | None = None) -> bool:
    """Add to a counter, which is locked then, unless it would exceed the bound; whether it has changed."""
    sql = "UPDATE counters SET value = value + %s WHERE name = %s AND (%s IS NULL OR value + %s <= %s)"
    return await tx.execute(sql, amount, name, bound, amount, bound) == 1


async def counts(connection: Connection) -> dict[str, int]:
    """Every counter by name."""
    return {str(name): int(value) for name, value in await connection.fetch_all("SELECT name, value FROM counters")}
