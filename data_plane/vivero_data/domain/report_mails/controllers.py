"""`/api/v1/report-schedules`."""

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.links.service import NoMailError
from vivero_data.domain.report_mails.schemas import (
    NewReportSchedule,
    ReportSchedule,
    ReportScheduleChanges,
    ReportSchedulesFullError,
    ScheduleId,
    Sending,
)
from vivero_data.domain.report_mails.service import ReportMailService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.errors import OwnerUnconfirmedError, PlanFeatureError
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class ReportScheduleController(Controller):
    """Reports and dashboards that are sent by e-mail."""

    path = "/report-schedules"
    tags = ("Reports",)

    @get()
    async def list_report_schedules(
        self,
        actor: NamedDependency[Actor],
        report_mails: NamedDependency[ReportMailService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[ReportSchedule]:
        """Those that the caller made or gets, for administrators all; the newest first."""
        return await report_mails.list(actor, limit, cursor)

    @post(guards=[needs(Permission.WRITE_RECORDS)])
    @raises(ReportSchedulesFullError, PlanFeatureError, NoMailError, OwnerUnconfirmedError)
    async def create_report_schedule(
        self,
        actor: NamedDependency[Actor],
        report_mails: NamedDependency[ReportMailService],
        data: JSONBody[NewReportSchedule],
    ) -> ReportSchedule:
        """Have a report or a dashboard sent to people of the workspace."""
        return await report_mails.create(actor, data)

    @get("/{schedule_id:int}")
    async def get_report_schedule(
        self, actor: NamedDependency[Actor], report_mails: NamedDependency[ReportMailService], schedule_id: ScheduleId
    ) -> ReportSchedule:
        """When it is sent, and to whom."""
        return await report_mails.get(actor, schedule_id)

    @get("/{schedule_id:int}/sendings")
    async def list_report_sendings(
        self,
        actor: NamedDependency[Actor],
        report_mails: NamedDependency[ReportMailService],
        schedule_id: ScheduleId,
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[Sending]:
        """What was sent in the last 90 days, and what was not, and why; newest first."""
        return await report_mails.sendings(actor, schedule_id, limit, cursor)

    @patch("/{schedule_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    @raises(PlanFeatureError)
    async def update_report_schedule(
        self,
        actor: NamedDependency[Actor],
        report_mails: NamedDependency[ReportMailService],
        schedule_id: ScheduleId,
        data: JSONBody[ReportScheduleChanges],
    ) -> ReportSchedule:
        """Change parts of it, or pause it; others' only for administrators."""
        return await report_mails.change(actor, schedule_id, data)

    @delete("/{schedule_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    async def delete_report_schedule(
        self, actor: NamedDependency[Actor], report_mails: NamedDependency[ReportMailService], schedule_id: ScheduleId
    ) -> None:
        """End it, with its history; others' only for administrators."""
        await report_mails.delete(actor, schedule_id)
