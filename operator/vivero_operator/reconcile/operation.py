"""reconcile(name) of an object that stands for one operation: starts its Job, tells how far it is, and ends with it.

A kind says what its Job needs (`prepare`), what follows when the Job succeeded (`conclude`) and what when it failed
(`give_up`). What has ended stays as it is: another operation is another object.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from pydantic import ValidationError
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeNotFoundError
from vivero_core.backends.kube.resources import JOB, POD, SECRET, of_model
from vivero_core.backends.kube.resources import Resource as Address
from vivero_core.backends.mariadb.program import Others
from vivero_core.errors import ViveroError
from vivero_core.model import conditions as cond
from vivero_core.model import naming
from vivero_core.model.base import Model, Resource
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.operation import OperationStatus
from vivero_core.model.tenant import Tenant

from vivero_operator.instance import TenantKeys
from vivero_operator.manifests.event import ObjectEvent, Subject
from vivero_operator.operations import runner
from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.orders import (
    CLIENT_FILE,
    EXPIRE,
    ORDER_FILE,
    Account,
    BackupOrder,
    EraseOrder,
    Login,
    MomentOrder,
    Program,
    ProofOrder,
    RestoreOrder,
)
from vivero_operator.operations.runner import Operation, Outcome, Progress
from vivero_operator.policies.life import paused, shown
from vivero_operator.policies.recoverability import NO_BACKUP_BUCKET
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.kind import Reconciler
from vivero_operator.reconcile.mirror import Mirror
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import write_status
from vivero_operator.settings import Settings

R = TypeVar("R", bound=Resource)

LOOK_SECONDS: Final = 2.0
"""How often an operation under way is looked at."""
MOST_OF_OTHERS: Final = 512 * 1024
"""Characters of routines that travel in an operation's Secret, which holds a MiB."""
WAIT_SECONDS: Final = 15.0
"""How often it is tried again to start one that cannot be started yet."""


class ObstacleError(ViveroError):
    """Why an operation cannot go on yet; it is tried again."""

    def __init__(self, reason: Reason, message: str, **noted: object) -> None:
        """`noted`: fields of the status that are known from now on."""
        super().__init__(message)
        self.reason = reason
        self.noted = noted


@dataclass(frozen=True)
class Access:
    """A tenant's own logins, and the key of its files."""

    ident: str
    keys: TenantKeys
    server: DatabaseServer

    @property
    def login(self) -> Login:
        user = naming.database_users(self.ident)[0]
        return Login(self.server.spec.host, self.server.spec.port, user, self.keys.database_password)

    def bucket(self, settings: Settings) -> Account:
        name = naming.bucket_name(self.ident)
        access_key = self.keys.storage_access_key or name
        return Account(settings.s3_endpoint, settings.s3_region, name, access_key, self.keys.storage_secret)


class OperationReconciler(Reconciler, Generic[R]):
    """Of one kind of operation."""

    model: ClassVar[type[Resource]]
    result: ClassVar[type[Model]]
    """What the Job's last step says of it, as fields of the status."""
    succeeded: ClassVar[tuple[Reason, str]]
    action: ClassVar[str]
    """For events, in CamelCase."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._items: Mirror[Any] = services.cluster.of(self.model)
        self._address = of_model(self.model)

    @abstractmethod
    def program_of(self, item: R) -> Program:
        """What its Job runs."""

    @abstractmethod
    async def prepare(self, item: R) -> Operation:
        """What the Job is to do; idempotent, for a crash repeats it. Raises ObstacleError, and RefusedError to give up."""

    async def conclude(self, item: R) -> None:
        """What follows the Job's success, whose result is in the item's status; returns when it is done.

        Raises ObstacleError, and RefusedError to give up.
        """

    async def give_up(self, item: R) -> None:
        """Remove what an operation that failed has left."""

    def success(self, item: R, said: Any) -> tuple[Reason, str]:  # noqa: ANN401, ARG002  a `result`; mostly all say the same
        """What is said of one that is complete, and whose Job has said this."""
        return self.succeeded

    def require_backup_bucket(self) -> None:
        if not self._services.settings.backup_secret:
            raise ObstacleError(Reason.NOT_CONFIGURED, NO_BACKUP_BUCKET)

    async def access(self, tenant: Tenant) -> Access:
        """How an operation logs in as the tenant. Raises ObstacleError."""
        record = await self._services.escrow.find(tenant.id)
        if record is None and tenant.status.proven_at is None:
            raise ObstacleError(Reason.PROVISIONING, f"Tenant {tenant.name} is still being provisioned")
        if record is None or record.keys is None:
            raise ObstacleError(Reason.KEYS_LOST, f"The escrowed keys of Tenant {tenant.name} cannot be opened")
        server = self._services.cluster.servers.get(record.database_server or "")
        if server is None:
            message = f"There is no DatabaseServer {record.database_server}"
            raise ObstacleError(Reason.DATABASE_SERVER_NOT_FOUND, message)
        return Access(tenant.id, record.keys, server)

    async def of_others(self, access: Access) -> Others:
        """What in the tenant's schema only an administrator can read. Raises ObstacleError."""
        client = await self._services.backends.database(access.server)
        name, owner = naming.database_name(access.ident), access.login.user
        found = await client.breaker.call(client.admin.programs_of_others, name, owner)
        if (size := sum(len(one.program.dump()) for one in found.routines)) > MOST_OF_OTHERS:
            message = (
                f"Routines of other accounts in {name} hold {size} characters, more than {MOST_OF_OTHERS}: drop some"
            )
            raise ObstacleError(Reason.UNREADABLE, message)
        return found

    def operation(
        self,
        item: R,
        order: BackupOrder | RestoreOrder | MomentOrder | ProofOrder | EraseOrder,
        login: Login | None,
    ) -> Operation:
        """`login`: of the tenant whose data it reads or writes."""
        program = self.program_of(item)
        files = {ORDER_FILE: order.dump()} | ({CLIENT_FILE: login.option_file()} if login is not None else {})
        return Operation(
            program=program.name,
            kind=self.model.__name__,
            owner=item.metadata,
            steps=program.steps,
            files=files,
            storage_secret=self._services.settings.backup_secret,
            scratch=program.scratch,
            kept_seconds=program.kept_seconds,
        )

    async def reconcile(self, name: str) -> Result:
        item: Any = self._items.get(name)
        if item is None:
            return Result(gone=True)
        if item.metadata.deletion_timestamp is not None or has_ended(item.status):
            return Result()
        if paused(item.metadata):
            await self._write(item, item.status)
            return Result()
        body = await job_of(self._services, self._name(item))
        if body is None:
            return await self._start(item)
        return await self._follow(item, body)

    async def _start(self, item: Any) -> Result:  # noqa: ANN401  an R with a status
        try:
            await self.require_rest(item)
            operation = await self.prepare(item)
        except ObstacleError as obstacle:
            await self._tell(item, obstacle.reason, str(obstacle), item.status)
            return Result(retry_after=WAIT_SECONDS)
        except RefusedError as refusal:
            await self.give_up(item)
            await self._end(item, Reason.REFUSED, f"Refused: {refusal}", item.status, done=False)
            return Result()
        await start(self._services, operation)
        await self._tell(item, Reason.RUNNING, "Waiting for a pod", item.status)
        return Result(retry_after=LOOK_SECONDS)

    async def require_rest(self, item: Any) -> None:  # noqa: ANN401  an R with a spec
        """What is removed from a tenant's archive may be what another operation is about to use. Raises ObstacleError."""
        tenant = self._services.cluster.tenants.get(item.spec.tenant)
        if tenant is None:
            return
        job = await job_of(self._services, expiry_of(tenant))
        if tenant.id in self._services.expiring or (job is not None and not runner.is_over(job)):
            message = "Waiting until what has expired is removed from the backup bucket"
            raise ObstacleError(Reason.WAITING_FOR_TURN, message)

    async def _follow(self, item: Any, body: Mapping[str, Any]) -> Result:  # noqa: ANN401  an R with a status
        found = await progress_of(self._services, self.program_of(item).steps, self._name(item), body)
        status = item.status.model_copy(update={"steps": found.steps})
        if found.outcome is Outcome.RUNNING:
            await self._tell(item, Reason.RUNNING, found.message, status)
            return Result(retry_after=LOOK_SECONDS)
        # The credentials go before anybody hears that it has ended.
        await forget(self._services, SECRET, self._name(item))
        said, problem, outcome = self._read(found.result), found.message, found.outcome
        if outcome is Outcome.DONE and isinstance(said, Model):
            try:
                await self.conclude(_with(item, status.model_copy(update=dict(said))))
            except ObstacleError as obstacle:
                noted = status.model_copy(update=obstacle.noted)
                await self._tell(item, obstacle.reason, str(obstacle), noted)
                return Result(retry_after=LOOK_SECONDS)
            except RefusedError as refusal:
                problem, outcome = str(refusal), Outcome.REFUSED
            else:
                await self._end(item, *self.success(item, said), status.model_copy(update=dict(said)), done=True)
                return Result()
        elif isinstance(said, str) and outcome is Outcome.DONE:
            problem = said
        await self.give_up(item)
        reason, word = (Reason.REFUSED, "Refused") if outcome is Outcome.REFUSED else (Reason.FAILED, "Failed")
        await self._end(item, reason, f"{word}: {problem}", status, done=False)
        return Result()

    def _read(self, result: Mapping[str, Any]) -> Model | str:
        """What the Job says of itself, or why that cannot be read."""
        try:
            return self.result.model_validate(result)
        except ValidationError as error:
            return f"its result cannot be read: {error.errors()[0]['loc']}"

    async def _end(self, item: R, reason: Reason, message: str, status: OperationStatus, *, done: bool) -> None:
        await self._tell(item, reason, message, status, done=done)
        subject = Subject.of(self.model.__name__, item.metadata)
        await self.announce(item, ObjectEvent(subject, "Normal" if done else "Warning", reason, message, self.action))

    async def announce(self, item: R, event: ObjectEvent) -> None:  # noqa: ARG002  most kinds say it as it is
        """Emit the event of its end."""
        await self._services.recorder.record(event)

    def _name(self, item: R) -> str:
        """Of its Job and its Secret."""
        return runner.name_of(self.program_of(item).name, item.metadata.uid)

    async def _tell(
        self,
        item: Any,  # noqa: ANN401  an R with a status
        reason: Reason,
        message: str,
        status: OperationStatus,
        *,
        done: bool = False,
    ) -> None:
        told = {ConditionType.COMPLETE: done} | ({ConditionType.REFUSED: True} if reason is Reason.REFUSED else {})
        new = [
            Condition(
                type=kind,
                status=Status.of(truth),
                reason=reason,
                message=message,
                last_transition_time=self._services.now(),
                observed_generation=item.metadata.generation,
            )
            for kind, truth in told.items()
        ]
        conditions = cond.merge(item.status.conditions, new)
        await self._write(item, status.model_copy(update={"message": message, "conditions": conditions}))

    async def _write(self, item: Any, status: OperationStatus) -> None:  # noqa: ANN401  an R with a status
        conditions = shown(status.conditions, item.metadata, self._services.now(), idle="operation")
        update = {"conditions": conditions, "observed_generation": item.metadata.generation}
        await write_status(self._services, self._address, item, status.model_copy(update=update), self._items)


def _with(item: Any, status: OperationStatus) -> Any:  # noqa: ANN401  an R with a status
    return item.model_copy(update={"status": status})


def is_under_way(item: Any) -> bool:  # noqa: ANN401  an object whose status is an OperationStatus
    """Whether its Job has been started, and what it works with is still to be left to it."""
    condition = cond.find(item.status.conditions, ConditionType.COMPLETE)
    begun = condition is not None and condition.reason in {Reason.RUNNING, Reason.SWITCHING}
    return begun and item.metadata.deletion_timestamp is None


def has_ended(status: OperationStatus) -> bool:
    """Whether it is complete, or has failed for good."""
    condition = cond.find(status.conditions, ConditionType.COMPLETE)
    return condition is not None and (
        condition.status is Status.TRUE or condition.reason in {Reason.FAILED, Reason.REFUSED}
    )


def expiry_of(tenant: Tenant) -> str:
    """Name of the Job that removes what has expired of a tenant's backups; there is one at a time."""
    return runner.name_of(EXPIRE.name, tenant.metadata.uid)


async def start(services: Services, operation: Operation) -> None:
    """Make its Secret and its Job; idempotent."""
    for manifest in (runner.secret(operation, services.settings), runner.job(operation, services.settings)):
        with suppress(KubeAlreadyExistsError):  # an earlier pass was interrupted here
            await services.kube.create(manifest)


async def job_of(services: Services, name: str) -> Mapping[str, Any] | None:
    """The Job; None if there is none."""
    try:
        return await services.kube.get(JOB, name, services.settings.platform_namespace)
    except KubeNotFoundError:
        return None


async def progress_of(services: Services, steps: Sequence[str], name: str, body: Mapping[str, Any]) -> Progress:
    """How far the Job of this name is."""
    selector = f"batch.kubernetes.io/job-name={name}"
    pods = await services.kube.list(POD, services.settings.platform_namespace, label_selector=selector)
    return runner.progress(steps, body, pods.items)


async def forget(services: Services, resource: Address, name: str) -> None:
    """Delete a Secret or a Job of an operation, if it is there."""
    namespace = services.settings.platform_namespace
    with suppress(KubeNotFoundError):
        found = await services.kube.get(resource, name, namespace)
        await services.kube.delete(resource, name, namespace, uid=found["metadata"]["uid"])
