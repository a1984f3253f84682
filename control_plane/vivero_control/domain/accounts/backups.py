"""Backups of a workspace for who manages it: what staff do with it, within bounds."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from msgspec import Struct
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_control.domain.accounts.service import Visit
from vivero_control.domain.backups.schemas import (
    BackUp,
    BackupView,
    BringBack,
    OperationState,
    Overview,
    RestoreView,
    Target,
)
from vivero_control.domain.backups.service import BackupService
from vivero_control.domain.tenants.policies import recovery_of
from vivero_control.domain.tenants.schemas import RecoveryView

BY_HAND_MAX: Final = 3
"""Backups of one workspace that people ask for within A_DAY, staff's among them."""
A_DAY: Final = timedelta(days=1)
ASKED_FOR: Final = "Asked for on the account page."
"""The reason in the audit log, where staff give one of their own."""


V = TypeVar("V", bound=BackupView | RestoreView)


class Past(Struct, frozen=True, kw_only=True):
    """What to go back to: a second, or a backup by its name."""

    time: datetime | None = None
    backup: str | None = None


class WorkspaceBackups:
    """Only what was made of this very Tenant: a Tenant of before may have had its name, and was another's."""

    def __init__(self, backups: BackupService, clock: Clock) -> None:
        self._backups = backups
        self._clock = clock

    def overview(self, visit: Visit) -> Overview:
        """What there is, and what is under way. Raises ClusterUnavailableError."""
        found = self._backups.overview(visit.tenant.name)
        backups, restores = _own(visit.tenant, found.backups), _own(visit.tenant, found.restores)
        return Overview(
            under_way=_own(visit.tenant, found.under_way),
            backups=backups,
            restores=restores,
            ended_backups=len(backups),
            ended_restores=len(restores),
            no_bucket=found.no_bucket,
        )

    def recovery(self, visit: Visit) -> RecoveryView | None:
        """Which seconds can be brought back; None while it is not known."""
        return recovery_of(visit.tenant)

    def restorable(self, visit: Visit) -> tuple[BackupView, ...]:
        """Backups that can be brought back, the newest first. Raises ClusterUnavailableError."""
        return _own(visit.tenant, self._backups.restorable(visit.tenant.name))

    def left_today(self, visit: Visit) -> int:
        """How many backups can still be asked for now. Raises ClusterUnavailableError."""
        return left_of(self.overview(visit), self._clock())

    async def back_up(self, visit: Visit, key: str) -> None:
        """Ask for a backup; the same key asks once.

        Raises:
            ConflictError: BY_HAND_MAX were asked for within A_DAY.
            As `BackupService.back_up`.
        """
        if not self.left_today(visit):
            raise ConflictError(f"{BY_HAND_MAX} backups were asked for within a day. The schedule goes on by itself.")
        await self._backups.back_up(visit.tenant.name, BackUp(reason=ASKED_FOR), visit.actor, idempotency_key=key)

    async def look(self, visit: Visit, past: Past, key: str) -> None:
        """Show the workspace as it was, read only, beside the live one.

        Raises:
            InvalidInputError: naming `time` or `backup`.
            ConflictError: one is shown already, or about to be.
            As `BackupService.bring_back`.
        """
        found = self.overview(visit)
        if any(_is_look(one) for one in found.under_way) or any(one.url for one in found.restores):
            raise ConflictError("One second is shown already, and a workspace has one at a time. It closes by itself.")
        await self._bring_back(visit, past, Target(as_of=True), key)

    async def go_back(self, visit: Visit, past: Past, key: str) -> None:
        """Bring the live workspace itself back; what was written since is taken out.

        Raises:
            NotAllowedError: who asks is not the owner.
            InvalidInputError: naming `time` or `backup`.
            As `BackupService.bring_back`.
        """
        visit.require_owner()
        await self._bring_back(visit, past, Target(in_place=True), key)

    def check(self, visit: Visit, past: Past) -> None:
        """Raises InvalidInputError naming `time` or `backup` where the workspace cannot be brought back to."""
        if past.backup is not None and past.backup not in {one.name for one in self.restorable(visit)}:
            raise InvalidInputError.of("backup", "Choose one of the complete backups.")
        errors = self._backups.problems(visit.tenant.name, _order(past, Target(in_place=True)))
        if errors:
            raise InvalidInputError.of_all(errors)

    async def _bring_back(self, visit: Visit, past: Past, target: Target, key: str) -> None:
        self.check(visit, past)
        await self._backups.bring_back(visit.tenant.name, _order(past, target), visit.actor, idempotency_key=key)


def left_of(overview: Overview, now: datetime) -> int:
    """How many backups can still be asked for; one that failed does not count."""
    every = (*overview.under_way, *overview.backups)
    asked = [
        one
        for one in every
        if isinstance(one, BackupView)
        and not one.scheduled
        and one.state is not OperationState.FAILED
        and one.created_at is not None
        and one.created_at > now - A_DAY
    ]
    return max(0, BY_HAND_MAX - len(asked))


def _order(past: Past, target: Target) -> BringBack:
    return BringBack(reason=ASKED_FOR, target=target, time=past.time, backup=past.backup)


def _is_look(one: BackupView | RestoreView) -> bool:
    return isinstance(one, RestoreView) and one.as_of


def _own(tenant: Tenant, found: Iterable[V]) -> tuple[V, ...]:
    """Those of this Tenant, and of none that had its name before; what the cluster has given no time yet is new."""
    made = tenant.metadata.creation_timestamp
    return tuple(one for one in found if made is None or one.created_at is None or one.created_at >= made)
