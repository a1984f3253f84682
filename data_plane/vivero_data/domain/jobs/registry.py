"""All kinds of jobs; to add one, see CONTRIBUTING.md, "A new job of a workspace"."""

from collections.abc import Mapping
from typing import Final

from vivero_data.domain.audit.verifying import VerifyAuditLog
from vivero_data.domain.collections.calculation import CalculateFormulas
from vivero_data.domain.collections.numbering import NumberRecords
from vivero_data.domain.collections.retyping import ChangeField
from vivero_data.domain.imports.tasks import ImportRows, UndoImport
from vivero_data.domain.jobs.task import Task
from vivero_data.domain.records.bulk import ChangeRecords
from vivero_data.domain.records.export import Export
from vivero_data.domain.records.indexing import AddIndex
from vivero_data.domain.report_mails.job import KIND as REPORT_MAIL
from vivero_data.domain.report_mails.job import SendReport
from vivero_data.domain.usage.job import KIND as LIMIT_MAIL
from vivero_data.domain.usage.job import TellOfLimit
from vivero_data.domain.workspace_exports.job import KIND as WORKSPACE_EXPORT
from vivero_data.domain.workspace_exports.job import ExportWorkspace

KINDS: Final[Mapping[str, type[Task]]] = {
    "export": Export,
    "records": ChangeRecords,
    "index": AddIndex,
    "import": ImportRows,
    "import_undo": UndoImport,
    "field": ChangeField,
    "numbers": NumberRecords,
    WORKSPACE_EXPORT: ExportWorkspace,
    "audit_verify": VerifyAuditLog,
    REPORT_MAIL: SendReport,
    "formulas": CalculateFormulas,
    LIMIT_MAIL: TellOfLimit,
}


def kind_of(task: Task) -> str:
    """The name of a task's kind."""
    return next(name for name, kind in KINDS.items() if isinstance(task, kind))
