"""The control plane's tables in the backup bucket: dumped, what has expired removed, and each dump followed by a proof.

Each is a Job, one at a time. Their owner in the log and in the bucket is `platform` (platform_backup.py has the key).
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import JOB, SECRET
from vivero_core.model import platform_backup as model
from vivero_core.model.constants import ANNOTATION_DUMP_AT, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.naming import PLATFORM_ID
from vivero_core.model.platform_backup import (
    ControlPlaneDatabase,
    Dump,
    DumpProof,
    PlatformBackup,
    PlatformBackupStatus,
)
from vivero_core.model.tenant_backup import BackupResult, BackupSchedule
from vivero_core.model.tenant_proof import ProofResult

from vivero_operator.archiver.position import Positions
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.orders import (
    BACKUP,
    CLIENT_FILE,
    EXPIRE,
    ORDER_FILE,
    PROOF,
    BackupOrder,
    ExpiryOrder,
    Login,
    Program,
    ProofOrder,
)
from vivero_operator.operations.platform_state import States
from vivero_operator.operations.runner import DEADLINE_SECONDS, Operation, Outcome, Progress, name_of
from vivero_operator.policies import retention
from vivero_operator.policies import schedule as schedules
from vivero_operator.reconcile.archives import archived, publish_key
from vivero_operator.reconcile.operation import ObstacleError, forget, job_of, progress_of, start
from vivero_operator.reconcile.run import Services

AGAIN: Final = timedelta(hours=1)
"""After a dump or a removal that failed three times."""
DEFAULT_SCHEDULE: Final = BackupSchedule(schedule="30 2 * * *")
_WORDS: Final = {BACKUP: "dumping the control plane's tables", EXPIRE: "removing what has expired"}
Fields = dict[str, Any]
"""Of the status of the PlatformBackup."""


@dataclass(frozen=True)
class _Tables:
    """The control plane's, and who may read them."""

    at: ControlPlaneDatabase
    server: DatabaseServer
    file_key: str


@dataclass(frozen=True)
class _Failure:
    """Of a dump or a removal."""

    message: str
    at: datetime

    @property
    def until(self) -> datetime:
        """It is not tried again before, unless a person asks."""
        return self.at + AGAIN


class PlatformTables:
    """What is done about them, for the one PlatformBackup."""

    def __init__(
        self,
        services: Services,
        wake: Callable[[str], object],
        write: Callable[[PlatformBackup, PlatformBackupStatus], Awaitable[None]],
    ) -> None:
        """`wake`: has the DatabaseServer of a name reconciled. `write`: stores the status."""
        self._services = services
        self._wake = wake
        self._write = write
        self._failed: dict[Program, _Failure] = {}
        """The last one of each program, if it failed here."""

    def troubles(self, item: PlatformBackup) -> list[str]:
        """What is to be said beside what is well."""
        found = [one.message for one in self._failed.values()]
        if ANNOTATION_DUMP_AT in item.metadata.annotations and _asked(item) is None:
            found.append(f"annotation {ANNOTATION_DUMP_AT} is no moment such as 2026-11-29T14:05:09Z")
        return found

    async def go_on(
        self, item: PlatformBackup, told: ControlPlaneDatabase, store: States, file_key: str, noted: Fields
    ) -> Fields:
        """Go on with what is due; fields of the status. Raises ObstacleError before there is a dump."""
        tables = await self._tables(store, told, file_key, noted)
        found = {**noted, "dumping": False}
        for program in (BACKUP, EXPIRE, PROOF):
            name = name_of(program.name, item.metadata.uid)
            body = await job_of(self._services, name)
            if body is None:
                continue
            progress = await progress_of(self._services, program.steps, name, body)
            if progress.outcome is Outcome.RUNNING:
                return self._unless_first(item, found | {"dumping": program is BACKUP})
            found |= await self._conclude(item, program, progress)
            # Known before the Job goes, for nothing else tells of it.
            await self._write(item, item.status.model_copy(update=found))
            # In this order: an order that outlived its Job would be the next one's.
            await forget(self._services, SECRET, name)
            await forget(self._services, JOB, name)
            return self._unless_first(item, found)
        return await self._begin(item, tables, found)

    async def _tables(self, store: States, told: ControlPlaneDatabase, file_key: str, noted: Fields) -> _Tables:
        """Where the control plane's tables are; their key is published. Raises ObstacleError."""
        server = self._services.cluster.servers.get(told.database_server)
        if server is None:
            message = f"There is no DatabaseServer {told.database_server}, where the control plane's tables would be"
            raise ObstacleError(Reason.DATABASE_SERVER_NOT_FOUND, message, **noted)
        if not archived(server, self._services.settings):
            message = f"The log of DatabaseServer {server.name} is not archived (spec.archiverSecret)"
            raise ObstacleError(Reason.NOT_CONFIGURED, message, **noted)
        await publish_key(self._services, server, PLATFORM_ID, file_key)
        position = await asyncio.to_thread(Positions(store, server.metadata.uid).load)
        if position.platform != told.database:  # a dump that is older than its log would be no base
            self._wake(server.name)
            raise ObstacleError(
                Reason.RUNNING,
                f"State stored; the archiver of {server.name} begins with schema {told.database}",
                **noted,
            )
        return _Tables(told, server, file_key)

    async def _conclude(self, item: PlatformBackup, program: Program, progress: Progress) -> Fields:
        """What is known from the end of a Job."""
        now = self._services.now()
        if program is PROOF:
            return {"proof": _proof(progress, now)}
        if progress.outcome is Outcome.DONE:
            self._failed.pop(program, None)
            return _dumped(item, progress.result) if program is BACKUP else await self._expired(item)
        failure = _Failure(
            f"{_WORDS[program]} failed: {progress.message}; tried again at {now + AGAIN:%H:%M} (UTC)", now
        )
        self._failed[program] = failure
        return {}

    async def _begin(self, item: PlatformBackup, tables: _Tables, noted: Fields) -> Fields:
        wanted = item.spec.backup or DEFAULT_SCHEDULE
        if problem := schedules.fault(wanted):
            raise ObstacleError(Reason.SCHEDULE_INVALID, problem, **noted)
        newest = max((one.taken_at for one in item.status.dumps), default=None)
        if newest is None or self._is_due(item, wanted, newest):
            may = self._may(item, BACKUP)
            if may:
                await self._start_dump(item, tables)
            return self._unless_first(item, noted | {"dumping": may})
        proof, expired_at = item.status.proof, item.status.expired_at
        if (expired_at is None or expired_at < newest) and self._may(item, EXPIRE):
            await self._start_expiry(item, tables, wanted)
        elif proof is None or proof.ended_at < newest:
            await self._start_proof(item, tables)
        return noted

    def _is_due(self, item: PlatformBackup, wanted: BackupSchedule, newest: datetime) -> bool:
        now, asked = self._services.now(), _asked(item)
        by_hand = asked is not None and newest < asked <= now
        return by_hand or schedules.due(wanted, item.metadata.uid, newest, now) is not None

    def _may(self, item: PlatformBackup, program: Program) -> bool:
        failed, now, asked = self._failed.get(program), self._services.now(), _asked(item)
        return failed is None or now >= failed.until or (asked is not None and failed.at < asked <= now)

    def _unless_first(self, item: PlatformBackup, noted: Fields) -> Fields:
        """Raises ObstacleError as long as no dump is in the bucket."""
        if noted.get("dumps", item.status.dumps):
            return noted
        if not self._may(item, BACKUP):
            raise ObstacleError(Reason.FAILED, self._failed[BACKUP].message, **noted)
        raise ObstacleError(Reason.RUNNING, "State stored; dumping the control plane's tables", **noted)

    async def _start_dump(self, item: PlatformBackup, tables: _Tables) -> None:
        order = BackupOrder(
            tenant=PLATFORM_ID,
            uid=self._stamp(),
            schemas=(tables.at.database,),
            logged=True,
            storage=None,
            file_key=tables.file_key,
        )
        await self._start(item, BACKUP, {ORDER_FILE: order.dump(), CLIENT_FILE: await self._option_file(tables)})

    async def _start_proof(self, item: PlatformBackup, tables: _Tables) -> None:
        """Of the tables as they are, by one of the dumps and the log behind it."""
        order = ProofOrder(
            tenant=PLATFORM_ID,
            uid=self._stamp(),
            server=tables.server.metadata.uid,
            schemas=(tables.at.database,),
            source=None,
            file_key=tables.file_key,
        )
        await self._start(item, PROOF, {ORDER_FILE: order.dump(), CLIENT_FILE: await self._option_file(tables)})

    def _stamp(self) -> str:
        return f"{self._services.now().astimezone(UTC):d%Y%m%d-%H%M%S}"

    async def _option_file(self, tables: _Tables) -> str:
        login, at = await self._services.backends.login(tables.at.secret), tables.server.spec
        return Login(at.host, at.port, login.name, login.secret).option_file()

    async def _start_expiry(self, item: PlatformBackup, tables: _Tables, wanted: BackupSchedule) -> None:
        """Remove dumps that are not kept, and what of the log no second in reach needs."""
        now = self._services.now()
        window = timedelta(days=self._services.settings.recovery_days)
        begins = now - window - timedelta(seconds=DEADLINE_SECONDS)
        made = [retention.Made(one.name, one.taken_at) for one in item.status.dumps]
        expired = tuple(one.name for one in retention.expired(made, wanted.keep, begins))
        order = ExpiryOrder(
            tenant=PLATFORM_ID,
            server=tables.server.metadata.uid,
            uids=expired,
            kept=tuple(one.name for one in made if one.name not in expired),
            at=int(now.timestamp()),
            window_begins=int((now - window).timestamp()),
            file_key=tables.file_key,
        )
        await self._start(item, EXPIRE, {ORDER_FILE: order.dump()})

    async def _start(self, item: PlatformBackup, program: Program, files: Mapping[str, str]) -> None:
        operation = Operation(
            program=program.name,
            kind="PlatformBackup",
            owner=item.metadata,
            steps=program.steps,
            files=files,
            storage_secret=self._services.settings.backup_secret,
            scratch=program.scratch,
        )
        await start(self._services, operation)

    async def _expired(self, item: PlatformBackup) -> Fields:
        """What this very Job was told, and not what would be expired by now."""
        name, namespace = name_of(EXPIRE.name, item.metadata.uid), self._services.settings.platform_namespace
        try:
            secret = await self._services.kube.get(SECRET, name, namespace)
        except KubeNotFoundError:
            return {}
        order = ExpiryOrder.load(base64.b64decode(secret["data"][ORDER_FILE]).decode())
        kept = tuple(one for one in item.status.dumps if one.name not in order.uids)
        return {"dumps": kept, "expired_at": datetime.fromtimestamp(order.at, UTC)}


def _asked(item: PlatformBackup) -> datetime | None:
    """When a person asked for a dump; None if nobody did, or it cannot be read."""
    try:
        found = datetime.fromisoformat(item.metadata.annotations.get(ANNOTATION_DUMP_AT, ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _dumped(item: PlatformBackup, result: Mapping[str, Any]) -> Fields:
    """The dump, among the others."""
    try:
        said = BackupResult.model_validate(result)
    except ValidationError as error:
        raise StepFailedError(f"the dump's result cannot be read: {error.errors()[0]['loc']}") from error
    if said.prefix is None or said.taken_at is None:
        raise StepFailedError("the dump does not say where it is")
    made = Dump(name=said.prefix.rpartition("/")[2], taken_at=said.taken_at)
    others = [one for one in item.status.dumps if one.name != made.name]
    return {"dumps": tuple(sorted([*others, made], key=lambda one: one.taken_at))[-model.DUMPS_MAX :]}


def _proof(progress: Progress, now: datetime) -> DumpProof:
    if progress.outcome is Outcome.REFUSED:
        return DumpProof(ended_at=now, result="Refused", message=progress.message)
    if progress.outcome is not Outcome.DONE:
        return DumpProof(ended_at=now, result="Failed", message=progress.message)
    try:
        said = ProofResult.model_validate(progress.result)
    except ValidationError as error:
        message = f"its result cannot be read: {error.errors()[0]['loc']}"
        return DumpProof(ended_at=now, result="Failed", message=message)
    return DumpProof(ended_at=now, result="Passed", message="The same as the live tables", tables=said.tables)
