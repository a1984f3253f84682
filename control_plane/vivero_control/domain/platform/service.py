"""What the platform itself would be rebuilt from: what the one PlatformBackup says of it, and how staff ask for a dump.

A dump is asked for by an annotation, for its spec says for whom everything is sealed and is none of the console's business.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import of_model
from vivero_core.errors import BackendError
from vivero_core.model import conditions
from vivero_core.model import platform_backup as model
from vivero_core.model.constants import ANNOTATION_DUMP_AT, ConditionType, Reason
from vivero_core.model.platform_backup import PlatformBackup
from vivero_core.model.reading import Unreadable, read
from vivero_web.clock import Clock, in_utc
from vivero_web.errors import ConflictError, NotFoundError

from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.backups.schemas import BackUp
from vivero_control.domain.tenants.repository import refused, unavailable

BACK_UP: Final = "back-up"
"""Action of the audit log."""
SUBJECT: Final = "platform"
PATIENCE: Final = timedelta(minutes=5)
"""So long after it was asked for, a dump that nobody has begun is asked for anew."""
_RESOURCE: Final = of_model(PlatformBackup)


class PlatformState(StrEnum):
    """One word for whether the platform could be rebuilt as it is now."""

    RECOVERABLE = "recoverable"
    RUNNING = "running"
    """The first dump is being made."""
    NOT_RECOVERABLE = "not-recoverable"
    """`message` says why."""
    NOT_CONFIGURED = "not-configured"
    PAUSED = "paused"


class DumpView(Struct, frozen=True, kw_only=True):
    """A dump of the control plane's tables."""

    name: Annotated[str, Meta(description="Its folder in the backup bucket, below platform/backups/.")]
    taken_at: Annotated[datetime, Meta(description="The moment of the data.")]


class StateView(Struct, frozen=True, kw_only=True):
    """The newest state: custom resources and keys, sealed for the recovery key."""

    number: Annotated[int, Meta(description="It counts up with each change that was written.")]
    stored_at: Annotated[datetime, Meta(description="When it was written: all that was changed before is in it.")]
    bytes: Annotated[int, Meta(description="Its size in the bucket.")]


class ProofView(Struct, frozen=True, kw_only=True):
    """The last time that the control plane's tables were brought back and compared with the live ones."""

    ended_at: Annotated[datetime, Meta(description="When it ended.")]
    result: Annotated[Literal["Passed", "Failed", "Refused"], Meta(description="What came of it.")]
    message: Annotated[str, Meta(description="What it said.")]
    tables: Annotated[int | None, Meta(description="How many were compared; null if they were not the same.")]


class PlatformBackupView(Struct, frozen=True, kw_only=True):
    """What the platform would be rebuilt from."""

    state: PlatformState
    reason: Annotated[str, Meta(description="Stable word for programs; empty before the operator has seen it.")]
    message: Annotated[str, Meta(description="What the operator says about it.")]
    installation: Annotated[str | None, Meta(description="Names the key of this installation.")]
    stored: Annotated[StateView | None, Meta(description="Null while nothing is stored.")]
    dumps: Annotated[tuple[DumpView, ...], Meta(description="Those that are in the bucket, the newest first.")]
    proof: Annotated[ProofView | None, Meta(description="Null before the first.")]
    dumping: Annotated[bool, Meta(description="Whether a dump is being made, or was asked for and begins soon.")]


class PlatformBackupNotFoundError(NotFoundError):
    """The platform has no backup."""

    def __init__(self) -> None:
        super().__init__("There is no PlatformBackup.")


class DumpRefusedError(ConflictError):
    """There is nothing to dump, or nowhere to."""

    slug = "not-possible-in-this-state"
    title = "Not possible in this state"


class PlatformBackups:
    """Of the one object, as the API server has it now."""

    def __init__(self, kube: KubeClient, audit: AuditService, clock: Clock) -> None:
        self._kube = kube
        self._audit = audit
        self._clock = clock

    async def get(self) -> PlatformBackupView:
        """Raises PlatformBackupNotFoundError, DumpRefusedError if it cannot be read, ClusterUnavailableError."""
        return view(await self._found(), self._clock())

    async def back_up(self, order: BackUp, actor: str) -> PlatformBackupView:
        """Ask for a dump of the control plane's tables; one that is under way or was just asked for is this one.

        Raises:
            DumpRefusedError: the operator could not make one.
            PlatformBackupNotFoundError, ClusterUnavailableError.
        """
        item, now = await self._found(), self._clock()
        known = view(item, now)
        if known.state in {PlatformState.NOT_CONFIGURED, PlatformState.PAUSED}:
            raise DumpRefusedError(known.message)
        if known.dumping:
            return known
        asked = in_utc(now).replace(microsecond=0)
        patch = {
            "metadata": {"uid": item.metadata.uid, "annotations": {ANNOTATION_DUMP_AT: f"{asked:%Y-%m-%dT%H:%M:%SZ}"}}
        }
        action = AuditAction(actor=actor, action=BACK_UP, subject=SUBJECT, reason=order.reason.strip(), detail={})
        async with self._audit.recording(action):
            try:
                changed = await self._kube.patch(_RESOURCE, item.name, patch)
            except BackendError as error:
                raise refused(error) from error
        return view(PlatformBackup.parse(changed), now)

    async def _found(self) -> PlatformBackup:
        try:
            found = read(PlatformBackup, await self._kube.get(_RESOURCE, model.NAME))
        except KubeNotFoundError:
            raise PlatformBackupNotFoundError from None
        except BackendError as error:
            raise unavailable(error) from error
        if isinstance(found, Unreadable):
            raise DumpRefusedError(f"The PlatformBackup cannot be read: {found.why}. Correct it with kubectl.")
        return found


def view(item: PlatformBackup, now: datetime) -> PlatformBackupView:
    status = item.status
    told = conditions.find(status.conditions, ConditionType.RECOVERABLE)
    proof, stored = status.proof, status.state
    dumps = sorted(status.dumps, key=lambda one: one.taken_at, reverse=True)
    return PlatformBackupView(
        state=_state(item),
        reason=told.reason if told else "",
        message=status.message or "",
        installation=status.installation,
        stored=StateView(number=stored.number, stored_at=stored.stored_at, bytes=stored.bytes) if stored else None,
        dumps=tuple(DumpView(name=one.name, taken_at=one.taken_at) for one in dumps),
        proof=ProofView(ended_at=proof.ended_at, result=proof.result, message=proof.message, tables=proof.tables)
        if proof
        else None,
        dumping=status.dumping or _is_awaited(item, now),
    )


def _state(item: PlatformBackup) -> PlatformState:
    if conditions.is_true(item.status.conditions, ConditionType.PAUSED):
        return PlatformState.PAUSED
    told = conditions.find(item.status.conditions, ConditionType.RECOVERABLE)
    if told is None or told.reason == Reason.RUNNING:
        return PlatformState.RUNNING
    if conditions.is_true(item.status.conditions, ConditionType.RECOVERABLE):
        return PlatformState.RECOVERABLE
    return PlatformState.NOT_CONFIGURED if told.reason == Reason.NOT_CONFIGURED else PlatformState.NOT_RECOVERABLE


def _is_awaited(item: PlatformBackup, now: datetime) -> bool:
    """Whether one was asked for that is neither there nor too long ago."""
    try:
        asked = in_utc(datetime.fromisoformat(item.metadata.annotations.get(ANNOTATION_DUMP_AT, "")))
    except ValueError:
        return False
    newest = max((one.taken_at for one in item.status.dumps), default=None)
    return now - PATIENCE < asked <= now and (newest is None or newest < asked)
