"""`/api/v1/reports`."""

from enum import StrEnum
from typing import Annotated, Any

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from vivero_web.declared import FILES, raises
from vivero_web.fields import LARGEST
from vivero_web.spreadsheets import CSV_TYPE

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.files.names import content_disposition
from vivero_data.domain.reports.errors import ReportBrokenError, ReportsFullError, ReportTooSlowError
from vivero_data.domain.reports.schemas import NewReport, Report, ReportChanges, ReportData
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.reports.sheets import XLSX_TYPE, as_csv, as_xlsx, lines
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.errors import PlanFeatureError
from vivero_data.lib.json import JsonResponse
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit

ReportId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The report's number.")]


class Format(StrEnum):
    """The format of figures."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


DataFormat = Annotated[Format, QueryParameter(name="format", description="The format of the answer.")]


class ReportController(Controller):
    """Groups and figures over the records of a collection."""

    path = "/reports"
    tags = ("Reports",)

    @get()
    async def list_reports(
        self,
        actor: NamedDependency[Actor],
        reports: NamedDependency[ReportService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[Report]:
        """The caller's own reports and the shared ones, the newest first."""
        return await reports.list(actor, limit, cursor)

    @post(guards=[needs(Permission.WRITE_RECORDS)])
    @raises(ReportsFullError, PlanFeatureError)
    async def create_report(
        self, actor: NamedDependency[Actor], reports: NamedDependency[ReportService], data: JSONBody[NewReport]
    ) -> Report:
        """Make a report."""
        return await reports.create(actor, data)

    @get("/{report_id:int}")
    async def get_report(
        self, actor: NamedDependency[Actor], reports: NamedDependency[ReportService], report_id: ReportId
    ) -> Report:
        """What a report computes."""
        return await reports.get(actor, report_id)

    @get("/{report_id:int}/data", opt={FILES: (CSV_TYPE, XLSX_TYPE)})
    @raises(ReportBrokenError, ReportTooSlowError)
    async def get_report_data(
        self,
        actor: NamedDependency[Actor],
        reports: NamedDependency[ReportService],
        report_id: ReportId,
        form: DataFormat = Format.JSON,
    ) -> Response[ReportData]:
        """Its figures: exact as JSON, or as a file for a spreadsheet."""
        report, found = await reports.data(actor, report_id)
        return _as(form, report, found)

    @patch("/{report_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    @raises(ReportBrokenError, PlanFeatureError)
    async def update_report(
        self,
        actor: NamedDependency[Actor],
        reports: NamedDependency[ReportService],
        report_id: ReportId,
        data: JSONBody[ReportChanges],
    ) -> Report:
        """Change parts of a report; others' only for administrators."""
        return await reports.update(actor, report_id, data)

    @delete("/{report_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    async def delete_report(
        self, actor: NamedDependency[Actor], reports: NamedDependency[ReportService], report_id: ReportId
    ) -> None:
        """Remove a report; others' only for administrators."""
        await reports.delete(actor, report_id)


def _as(form: Format, report: Report, data: ReportData) -> Response[Any]:
    if form is Format.JSON:
        return JsonResponse(data)
    rows = lines(report.definition, data)
    content, kind = (as_csv(rows), CSV_TYPE) if form is Format.CSV else (as_xlsx(rows), XLSX_TYPE)
    headers = {"content-disposition": content_disposition(f"{report.name}.{form}")}
    return Response(content, media_type=kind, headers=headers)
