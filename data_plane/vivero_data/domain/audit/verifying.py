"""The job that verifies the audit log, and says in it what was found."""

import msgspec

from vivero_data.db.database import Connection
from vivero_data.domain.audit.schemas import VERIFIED
from vivero_data.domain.audit.service import record
from vivero_data.domain.audit.verification import verify
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.users.schemas import Actor, Permission, require_permission

_SUBJECT = "audit"


class VerifyAuditLog(Task, frozen=True):
    """Verifies the whole log."""

    async def check(self, connection: Connection, _: Actor) -> str:  # noqa: ARG002  there is nothing to look up
        return _SUBJECT

    async def run(self, context: TaskContext) -> None:
        require_permission(context.actor, Permission.READ_AUDIT_LOG)
        found = msgspec.to_builtins(await verify(context.database, context.anchors, context.progress))
        async with context.database.transaction() as tx:
            await record(tx, context.actor, VERIFIED, _SUBJECT, after=found)
            await context.finish(tx, found)
