"""reconcile(name) of the PlatformBackup: what a new cluster is rebuilt from is in the backup bucket as it is now (ADR 0047).

The state (custom resources, records of tenants' keys, the keys that these are sealed with) is written as a whole when it has
changed, for the recovery key alone. The control plane's tables are archived like a tenant's (platform_tables.py): their
owner in the log and in the bucket is `platform`, the key is in Secret `platform-key` and in the state.

A bucket that holds another installation's state is left as it is: that one may be about to be rebuilt from it.
"""

import asyncio
import base64
import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET, of_model
from vivero_core.errors import BackendError
from vivero_core.model import conditions as cond
from vivero_core.model import constants as c
from vivero_core.model import platform_backup as model
from vivero_core.model.base import Resource
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.platform_backup import DumpProof, PlatformBackup, PlatformBackupStatus, StoredState
from vivero_core.model.release import Release
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_erasure import TenantErasure
from vivero_core.model.tenant_pool import TenantPool

from vivero_operator import metrics
from vivero_operator.instance import Manifest
from vivero_operator.operations import platform_state
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.platform_state import Newest, State, States
from vivero_operator.policies.life import paused, shown
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.kind import Reconciler
from vivero_operator.reconcile.operation import ObstacleError
from vivero_operator.reconcile.platform_tables import PlatformTables
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import write_status

logger = logging.getLogger(__name__)

KEY_SECRET: Final = "platform-key"  # noqa: S105  a Secret's name
FILE_KEY: Final = "file_key"
SOON_SECONDS: Final = 3.0
"""Until it is looked again while the first dump is under way: nothing counts before there is one."""
LOOK_SECONDS: Final = 15.0
"""A change waits so long for more of them, before the state is written again."""
LONGEST_PAUSE: Final = 600.0
"""Between attempts while the bucket is away; each is twice as long as the one before."""
MODELS: Final[tuple[type[Resource], ...]] = (
    Plan,
    DatabaseServer,
    TenantPool,
    Release,
    Tenant,
    TenantBackup,
    TenantErasure,
)
"""What a state holds. Restores and proofs are left out: each is over, or begun again."""


class PlatformBackupReconciler(Reconciler):
    """Of the one object."""

    def __init__(self, services: Services, wake: Callable[[str], object]) -> None:
        """`wake`: has the DatabaseServer of a name reconciled, whose archiver is to know of the control plane's tables."""
        self._services = services
        self._items = services.cluster.of(PlatformBackup)
        self._file_key: str | None = None
        """As long as this process has it, a Secret that was deleted is made again."""
        self._seen: str | None = None
        """Digest of what the newest state was made from."""
        self._current_at: datetime | None = None
        """When what is in the bucket was last the present state, or this process first looked."""
        self._failures = 0
        self._tables = PlatformTables(services, wake, self._write)

    async def reconcile(self, name: str) -> Result:
        item = self._items.get(name)
        if item is None or item.metadata.deletion_timestamp is not None:
            return Result(gone=item is None)
        if paused(item.metadata):
            await self._write(item, item.status)
            return Result()
        if item.name != model.NAME:
            await self._tell(item, Reason.REFUSED, f"Only the PlatformBackup named {model.NAME} counts", done=False)
            return Result()
        pause = LOOK_SECONDS
        self._current_at = self._current_at or self._services.now()
        try:
            noted = await self._back_up(item)
            self._failures = 0
        except ObstacleError as obstacle:
            if obstacle.reason is Reason.NOT_CONFIGURED:  # what nobody wants is not late
                self._current_at = self._services.now()
            if obstacle.reason is Reason.RUNNING:
                pause = SOON_SECONDS
            await self._tell(item, obstacle.reason, str(obstacle), done=False, **obstacle.noted)
        except (BackendError, StepFailedError) as error:
            self._failures += 1
            pause = min(LONGEST_PAUSE, LOOK_SECONDS * 2**self._failures)
            logger.warning("backing up the platform's state failed, trying again in %.0f s: %s", pause, error)
            await self._tell(item, Reason.STORAGE_UNAVAILABLE, f"Not backed up: {error}", done=False)
        else:
            await self._tell_stored(item, noted)
        self._measure()
        return Result(retry_after=pause)

    async def _back_up(self, item: PlatformBackup) -> dict[str, Any]:
        """Fields of the status. Raises ObstacleError, and what a bucket or the API server raises."""
        if not self._services.settings.backup_secret:
            raise ObstacleError(Reason.NOT_CONFIGURED, "The operator has no backup bucket (setting backup_secret)")
        if not item.spec.recovery_key:
            message = "No recovery key (spec.recoveryKey): nothing is written, and the platform could not be rebuilt"
            known = cond.find(item.status.conditions, ConditionType.RECOVERABLE)
            if known is None or known.reason != Reason.NOT_CONFIGURED:
                logger.warning("PlatformBackup %s: %s", item.name, message)
            raise ObstacleError(Reason.NOT_CONFIGURED, message)
        store = await self._services.backends.backup_bucket()
        newest = await asyncio.to_thread(platform_state.newest, store)
        file_key = await self._key(store, newest)
        newest = await self._store_state(store, bytes.fromhex(item.spec.recovery_key), file_key, newest)
        self._current_at = self._services.now()
        noted: dict[str, Any] = {
            "installation": newest.installation,
            "state": StoredState(number=newest.number, stored_at=newest.stored_at, bytes=newest.bytes),
        }
        if item.spec.control_plane is None:
            message = "State stored; the control plane's tables are not backed up (spec.controlPlane)"
            # Without the log between them and the present they are no bases any more.
            raise ObstacleError(Reason.NOT_CONFIGURED, message, **noted, dumps=())
        if item.status.installation is None:
            raise ObstacleError(Reason.RUNNING, "State stored; the control plane's tables follow", **noted)
        return await self._tables.go_on(item, item.spec.control_plane, store, file_key, noted)

    async def _key(self, store: States, newest: Newest | None) -> str:
        """Of the control plane's tables; made once. Raises ObstacleError if the bucket is another installation's."""
        held = await self._held_key()
        if held is None:
            held = self._file_key
            if held is None and await asyncio.to_thread(platform_state.holds_any, store):
                raise ObstacleError(Reason.OTHER_INSTALLATION, _foreign(newest, f"and Secret {KEY_SECRET} is not here"))
            held = held or secrets.token_hex(platform_state.KEY_BYTES)
            with suppress(KubeAlreadyExistsError):  # it is read at the next pass
                await self._services.kube.create(key_manifest(held, self._services.settings.platform_namespace))
        if newest is not None and newest.installation != platform_state.installation_of(bytes.fromhex(held)):
            raise ObstacleError(Reason.OTHER_INSTALLATION, _foreign(newest, "and this one has another key"))
        self._file_key = held
        return held

    async def _held_key(self) -> str | None:
        try:
            secret = await self._services.kube.get(SECRET, KEY_SECRET, self._services.settings.platform_namespace)
        except KubeNotFoundError:
            return None
        try:
            text = base64.b64decode(secret.get("data", {}).get(FILE_KEY, ""), validate=True).decode()
            if len(bytes.fromhex(text)) == platform_state.KEY_BYTES:
                return text
        except ValueError:
            pass
        raise ObstacleError(Reason.MISCONFIGURED, f"Secret {KEY_SECRET} does not hold the key that was put there")

    async def _store_state(self, store: States, public: bytes, file_key: str, newest: Newest | None) -> Newest:
        """Write the state if it has changed; what is the newest now."""
        seen = await self._look()
        if newest is not None and seen == self._seen and newest.recipient == public.hex():
            return newest
        state = await self._state(file_key)
        if newest is None or newest.digest != state.digest() or newest.recipient != public.hex():
            at = self._services.now().isoformat()
            newest = await asyncio.to_thread(platform_state.write, store, state, public, newest, at)
            logger.info("state %d of the platform stored, %d bytes", newest.number, newest.bytes)
        await asyncio.to_thread(platform_state.drop_before, store, newest.oldest)
        self._seen = seen
        return newest

    async def _look(self) -> str:
        """Differs when something may have changed: of a thousand tenants this costs no object's contents."""
        newest = self._newest_backups()
        mine = [
            [kind.__name__, one.metadata.model_dump(exclude={"resource_version", "finalizers"}), _proven(one)]
            for kind in MODELS
            for one in self._services.cluster.of(kind)
            if kind is not TenantBackup or one.name in newest
        ]
        unread = [[*key, one.metadata.resource_version] for key, one in self._services.cluster.unreadable.items()]
        listing = await self._records(metadata_only=True)
        records = [[one["metadata"]["name"], one["metadata"]["resourceVersion"]] for one in listing]
        sealing = await self._services.escrow.sealing_keys()
        text = repr((sorted(map(repr, [*mine, *unread, *records])), sorted(sealing.keys), sealing.current))
        return hashlib.sha256(text.encode()).hexdigest()

    async def _state(self, file_key: str) -> State:
        newest = self._newest_backups()
        resources = {}
        for kind in MODELS:
            # As they are stored, whether this program can parse them or not, and page by page.
            found = (await self._services.kube.list_as(of_model(kind), platform_state.trimmed)).items
            resources[kind.__name__] = [
                one for one in found if kind is not TenantBackup or one["metadata"]["name"] in newest
            ]
        sealing = await self._services.escrow.sealing_keys()
        return State(
            resources=resources,
            records=[platform_state.trimmed(one) for one in await self._records()],
            escrow_keys={name: key.hex() for name, key in sealing.keys.items()},
            current_key=sealing.current,
            file_key=file_key,
        )

    def _newest_backups(self) -> set[str]:
        """Names: of each tenant the newest that is complete; the others are found in the bucket."""
        complete = [one for one in self._services.cluster.of(TenantBackup) if one.status.prefix and one.status.taken_at]
        ordered = sorted(complete, key=lambda one: (one.status.taken_at, one.name))
        return set({one.status.prefix.partition("/")[0]: one.name for one in ordered if one.status.prefix}.values())

    async def _records(self, *, metadata_only: bool = False) -> list[dict[str, Any]]:
        namespace, labelled = self._services.settings.platform_namespace, c.LABEL_ESCROW
        kube = self._services.kube
        return (await kube.list(SECRET, namespace, label_selector=labelled, metadata_only=metadata_only)).items

    def _measure(self) -> None:
        if self._current_at is not None:
            metrics.PLATFORM_BACKUP_AGE.set((self._services.now() - self._current_at).total_seconds())

    async def _tell_stored(self, item: PlatformBackup, noted: Mapping[str, Any]) -> None:
        proof: DumpProof | None = noted.get("proof", item.status.proof)
        failed = proof is not None and proof.result != "Passed"
        metrics.PLATFORM_PROOF_FAILED.set(failed)
        if proof is not None and failed:
            message = f"The control plane's tables were not brought back as they are: {proof.message}"
            await self._tell(item, Reason.PROOF_FAILED, message, done=False, **noted)
            return
        stored = f"Complete: state {noted['state'].number}, and the control plane's tables as they change"
        message = "; ".join([stored, *self._tables.troubles(item)])
        await self._tell(item, Reason.STORED, message, done=True, **noted)

    async def _tell(self, item: PlatformBackup, reason: Reason, message: str, *, done: bool, **noted: object) -> None:
        told = Condition(
            type=ConditionType.RECOVERABLE,
            status=Status.of(done),
            reason=reason,
            message=message,
            last_transition_time=self._services.now(),
            observed_generation=item.metadata.generation,
        )
        item = self._items.get(item.name) or item  # written meanwhile
        conditions = cond.merge(item.status.conditions, [told])
        await self._write(item, item.status.model_copy(update={**noted, "message": message, "conditions": conditions}))

    async def _write(self, item: PlatformBackup, status: PlatformBackupStatus) -> None:
        conditions = shown(status.conditions, item.metadata, self._services.now(), idle="platform backup")
        update = {"conditions": conditions, "observed_generation": item.metadata.generation}
        known = status.model_copy(update=update)
        await write_status(self._services, of_model(PlatformBackup), item, known, self._items)


def key_manifest(file_key: str, namespace: str) -> Manifest:
    """The Secret with the key of the control plane's dumps and log: whoever has it is the installation."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": KEY_SECRET,
            "namespace": namespace,
            "labels": {c.LABEL_PART_OF: "vivero", c.LABEL_MANAGED_BY: c.FIELD_MANAGER},
        },
        "type": "vivero.dev/platform-key",
        "data": {FILE_KEY: base64.b64encode(file_key.encode()).decode()},
    }


def _foreign(newest: Newest | None, why: str) -> str:
    whose = f"of installation {newest.installation}" if newest is not None else "of another installation"
    return (
        f"The backup bucket holds the state {whose}, {why}: nothing is written. Rebuild that one"
        " (docs/runbooks/rebuild.md), or use another bucket"
    )


def _proven(item: Any) -> bool:  # noqa: ANN401  a Tenant has it, others have not
    """Whether it has come to hold data."""
    return getattr(item.status, "proven_at", None) is not None or getattr(item.status, "prefix", None) is not None
