"""Whether tenants of a database server can be restored to any second, and if not, why. Pure."""

from collections.abc import Mapping
from typing import Final

from vivero_core.model.conditions import Status
from vivero_core.model.constants import Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.recoverability import shortcomings

from vivero_operator.settings import Settings

NO_BACKUP_BUCKET: Final = "The operator has no backup bucket (setting backup_secret)"
Verdict = tuple[Status, Reason, str]


def verdict(server: DatabaseServer, settings: Settings, variables: Mapping[str, str], *, runs: bool) -> Verdict:
    """The condition `Recoverable`; `runs`: the archiver says that it follows the log."""
    if not settings.backup_secret:
        return Status.FALSE, Reason.NOT_CONFIGURED, NO_BACKUP_BUCKET
    if server.spec.archiver_secret is None:
        return Status.FALSE, Reason.NOT_CONFIGURED, "The binary log is not archived: spec.archiverSecret is not set"
    if wrong := shortcomings(variables):
        return Status.FALSE, Reason.MISCONFIGURED, "; ".join(wrong)
    if not runs:
        return Status.FALSE, Reason.ARCHIVER_NOT_READY, "The archiver's pod is not ready; its log says why"
    return Status.TRUE, Reason.ARCHIVING, "The binary log is archived as it is written"
