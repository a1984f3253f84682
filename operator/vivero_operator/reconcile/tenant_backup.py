"""reconcile(name) of a TenantBackup: starts its Job, tells in status how far it is, and ends with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeNotFoundError
from vivero_core.backends.kube.resources import JOB, POD, SECRET, of_model
from vivero_core.model import conditions as cond
from vivero_core.model import naming
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import BackupResult, TenantBackup, TenantBackupStatus

from vivero_operator.instance import TenantKeys
from vivero_operator.manifests.event import ObjectEvent, Subject
from vivero_operator.operations import backup_order as program
from vivero_operator.operations import runner
from vivero_operator.operations.runner import Operation, Outcome, Progress
from vivero_operator.policies.life import paused, shown
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.kind import Reconciler
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import write_status

LOOK_SECONDS: Final = 2.0
"""How often a Job under way is looked at."""
WAIT_SECONDS: Final = 15.0
"""How often it is tried again to start one that cannot be started yet."""


@dataclass(frozen=True)
class Obstacle:
    """Why a backup cannot be started; it is tried again."""

    reason: Reason
    message: str


class TenantBackupReconciler(Reconciler):
    """What has ended stays as it is: another backup is another object."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._backups = services.cluster.of(TenantBackup)
        self._address = of_model(TenantBackup)

    async def reconcile(self, name: str) -> Result:
        backup = self._backups.get(name)
        if backup is None:
            return Result(gone=True)
        if backup.metadata.deletion_timestamp is not None or has_ended(backup):
            return Result()
        if paused(backup.metadata):
            await self._write(backup, backup.status)
            return Result()
        body = await self._job(runner.name_of(program.PROGRAM, backup.metadata.uid))
        if body is None:
            return await self._start(backup)
        return await self._follow(backup, body)

    async def _start(self, backup: TenantBackup) -> Result:
        operation = await self._operation(backup)
        if isinstance(operation, Obstacle):
            await self._tell(backup, operation.reason, operation.message, backup.status)
            return Result(retry_after=WAIT_SECONDS)
        for manifest in (
            runner.secret(operation, self._services.settings),
            runner.job(operation, self._services.settings),
        ):
            try:
                await self._services.kube.create(manifest)
            except KubeAlreadyExistsError:
                continue  # an earlier pass was interrupted here
        await self._tell(backup, Reason.RUNNING, "Waiting for a pod", backup.status)
        return Result(retry_after=LOOK_SECONDS)

    async def _operation(self, backup: TenantBackup) -> Operation | Obstacle:
        """The Job's contents, or why there can be none yet."""
        settings, cluster = self._services.settings, self._services.cluster
        if not settings.backup_secret:
            return Obstacle(Reason.NOT_CONFIGURED, "The operator has no backup bucket (setting backup_secret)")
        tenant = cluster.tenants.get(backup.spec.tenant)
        if tenant is None:
            return Obstacle(Reason.TENANT_NOT_FOUND, f"There is no Tenant {backup.spec.tenant}")
        record = await self._services.escrow.find(tenant.id)
        if record is None:
            return Obstacle(Reason.PROVISIONING, f"Tenant {tenant.name} is still being provisioned")
        if record.keys is None:
            return Obstacle(Reason.KEYS_LOST, f"The escrowed keys of Tenant {tenant.name} cannot be opened")
        server = cluster.servers.get(record.database_server or "")
        if server is None:
            return Obstacle(Reason.DATABASE_SERVER_NOT_FOUND, f"There is no DatabaseServer {record.database_server}")
        login = naming.database_users(tenant.id)[0]
        return Operation(
            program=program.PROGRAM,
            kind=TenantBackup.__name__,
            owner=backup.metadata,
            steps=program.STEPS,
            files={
                program.ORDER_FILE: self._order(backup, tenant, record.keys).dump(),
                program.CLIENT_FILE: program.option_file(
                    login, record.keys.database_password, server.spec.host, server.spec.port
                ),
            },
            storage_secret=settings.backup_secret,
        )

    def _order(self, backup: TenantBackup, tenant: Tenant, keys: TenantKeys) -> program.Order:
        settings, bucket = self._services.settings, naming.bucket_name(tenant.id)
        return program.Order(
            tenant=tenant.id,
            uid=backup.metadata.uid,
            schemas=(naming.database_name(tenant.id), naming.audit_database_name(tenant.id)),
            storage=program.Account(
                settings.s3_endpoint, settings.s3_region, bucket, keys.storage_access_key or bucket, keys.storage_secret
            ),
            file_key=keys.file_key,
        )

    async def _follow(self, backup: TenantBackup, body: Mapping[str, Any]) -> Result:
        name = runner.name_of(program.PROGRAM, backup.metadata.uid)
        pods = await self._services.kube.list(
            POD, self._services.settings.platform_namespace, label_selector=f"batch.kubernetes.io/job-name={name}"
        )
        found = runner.progress(program.STEPS, body, pods.items)
        if found.outcome is Outcome.RUNNING:
            await self._tell(backup, Reason.RUNNING, found.message, _with_steps(backup.status, found))
            return Result(retry_after=LOOK_SECONDS)
        # The credentials go before anybody hears that it has ended.
        await self._forget_secret(name)
        result = _result(found)
        done = not isinstance(result, str)
        reason = Reason.BACKED_UP if done else Reason.FAILED
        message = "Complete: read back, the same as written" if done else f"Failed: {result}"
        status = _with_steps(backup.status, found)
        if not isinstance(result, str):
            status = status.model_copy(update=dict(result))
        await self._tell(backup, reason, message, status, done=done)
        subject = Subject.of(TenantBackup.__name__, backup.metadata)
        event = ObjectEvent(subject, "Normal" if done else "Warning", reason, message, "BackUp")
        await self._services.recorder.record(event)
        return Result()

    async def _job(self, name: str) -> Mapping[str, Any] | None:
        try:
            return await self._services.kube.get(JOB, name, self._services.settings.platform_namespace)
        except KubeNotFoundError:
            return None

    async def _forget_secret(self, name: str) -> None:
        namespace = self._services.settings.platform_namespace
        try:
            secret = await self._services.kube.get(SECRET, name, namespace)
            await self._services.kube.delete(SECRET, name, namespace, uid=secret["metadata"]["uid"])
        except KubeNotFoundError:
            return

    async def _tell(
        self, backup: TenantBackup, reason: Reason, message: str, status: TenantBackupStatus, *, done: bool = False
    ) -> None:
        condition = Condition(
            type=ConditionType.COMPLETE,
            status=Status.of(done),
            reason=reason,
            message=message,
            last_transition_time=self._services.now(),
            observed_generation=backup.metadata.generation,
        )
        conditions = cond.merge(backup.status.conditions, [condition])
        await self._write(backup, status.model_copy(update={"message": message, "conditions": conditions}))

    async def _write(self, backup: TenantBackup, status: TenantBackupStatus) -> None:
        conditions = shown(status.conditions, backup.metadata, self._services.now(), idle="backup")
        update = {"conditions": conditions, "observed_generation": backup.metadata.generation}
        await write_status(self._services, self._address, backup, status.model_copy(update=update), self._backups)


def has_ended(backup: TenantBackup) -> bool:
    """Whether it is complete, or has failed for good."""
    condition = cond.find(backup.status.conditions, ConditionType.COMPLETE)
    return condition is not None and (condition.status is Status.TRUE or condition.reason == Reason.FAILED)


def _result(found: Progress) -> BackupResult | str:
    """What the backup says of itself, or why it is none."""
    if found.outcome is not Outcome.DONE:
        return found.message
    try:
        return BackupResult.model_validate(found.result)
    except ValidationError as error:
        return f"its result cannot be read: {error.errors()[0]['loc']}"


def _with_steps(status: TenantBackupStatus, found: Progress) -> TenantBackupStatus:
    return status.model_copy(update={"steps": found.steps})
