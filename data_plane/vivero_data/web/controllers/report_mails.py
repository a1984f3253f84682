"""Reports and dashboards by e-mail: the list, making a schedule, its page with what was sent, and the page that stops it."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.bodies import read_form, said
from vivero_web.errors import InvalidInputError, WebError
from vivero_web.rate_limit import SECRETS, Counted
from vivero_web.text import whole_number

from vivero_data.domain.dashboards.service import DashboardService
from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.report_mails.schemas import (
    Every,
    NewReportSchedule,
    ReportSchedule,
    ReportScheduleChanges,
    Subject,
)
from vivero_data.domain.report_mails.service import ReportMailService
from vivero_data.domain.report_mails.stopping import PAGE as STOP
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.users.schemas import Permission
from vivero_data.lib.pages import MAX_LIMIT
from vivero_data.web.forms import MAIL_FORM_ERRORS, Form, field_errors
from vivero_data.web.listing import address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html, html

PAGE: Final = "/report-schedules"
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LAST_HOUR: Final = 23
_LAST_DAY: Final = 31
_ACTION: Final = "send reports by e-mail"
AnyRequest = Request[Any, Any, Any]


@get(PAGE)
async def schedule_list(visit: NamedDependency[Visit], report_mails: NamedDependency[ReportMailService]) -> Html:
    """All of them on one page: there are no more."""
    found = (await report_mails.list(visit.actor, MAX_LIMIT)).items
    return show(visit, "report_mails/list.html.j2", {"schedules": found, "when": when})


@get(f"{PAGE}/new")
async def new_schedule(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    reports: NamedDependency[ReportService],
    dashboards: NamedDependency[DashboardService],
    links: NamedDependency[LinkService],
) -> Html:
    require(visit, Permission.WRITE_RECORDS, _ACTION)
    given = dict(request.query_params.items())
    form = {**given, "recipients": visit.actor.email, "every": "week", "hour": "7", "weekday": "0", "day": "1"}
    return await _new(visit, reports, dashboards, links, form)


@post(f"{PAGE}/new")
async def create_schedule(  # noqa: PLR0913, PLR0917  who, the services
    request: AnyRequest,
    visit: NamedDependency[Visit],
    report_mails: NamedDependency[ReportMailService],
    reports: NamedDependency[ReportService],
    dashboards: NamedDependency[DashboardService],
    links: NamedDependency[LinkService],
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, _ACTION)
    form = await read_form(request)
    try:
        subject, number = _subject(form)
        made = await report_mails.create(visit.actor, NewReportSchedule(subject, number, **_rule(form)))
    except MAIL_FORM_ERRORS as error:
        return await _new(visit, reports, dashboards, links, form, error)
    return done(f"{PAGE}/{made.id}", "schedule-created")


@get(f"{PAGE}/{{schedule_id:int}}")
async def schedule_page(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    report_mails: NamedDependency[ReportMailService],
    schedule_id: FromPath[int],
) -> Html:
    return await _page(request, visit, report_mails, schedule_id)


@post(f"{PAGE}/{{schedule_id:int}}")
async def change_schedule(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    report_mails: NamedDependency[ReportMailService],
    schedule_id: FromPath[int],
) -> Response[Any]:
    """When and to whom, or with `active` alone whether."""
    require(visit, Permission.WRITE_RECORDS, _ACTION)
    form = await read_form(request)
    try:
        said_ = {"active": form["active"] == "true"} if "active" in form else _rule(form)
        await report_mails.change(visit.actor, schedule_id, ReportScheduleChanges(**said_))
    except MAIL_FORM_ERRORS as error:
        return await _page(request, visit, report_mails, schedule_id, form, error)
    return done(f"{PAGE}/{schedule_id}", "schedule-saved")


@post(f"{PAGE}/{{schedule_id:int}}/delete")
async def delete_schedule(
    visit: NamedDependency[Visit], report_mails: NamedDependency[ReportMailService], schedule_id: FromPath[int]
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, _ACTION)
    await report_mails.delete(visit.actor, schedule_id)
    return done(PAGE, "schedule-deleted")


@get(f"{STOP}/{{mailing:str}}", guards=[Counted(SECRETS)])
async def stop_page(
    report_mails: NamedDependency[ReportMailService], identity: NamedDependency[IdentityService], mailing: FromPath[str]
) -> Html:
    """Where the link of a mail leads; opening it stops nothing, because programs open links, too."""
    context = {"name": await report_mails.named(mailing), "stopped": False}
    return html("report_mails/stop.html.j2", {"workspace": (await identity.current()).name, **context})


@post(f"{STOP}/{{mailing:str}}", guards=[Counted(SECRETS)])
async def stop_mails(
    report_mails: NamedDependency[ReportMailService], identity: NamedDependency[IdentityService], mailing: FromPath[str]
) -> Html:
    """The page's button, or one click in a mail program (RFC 8058), without a login."""
    await report_mails.stop(mailing)
    return html("report_mails/stop.html.j2", {"workspace": (await identity.current()).name, "stopped": True})


def when(schedule: ReportSchedule) -> str:
    """`Every Monday at 07:00`."""
    at = f"at {schedule.hour:02}:00"
    if schedule.every is Every.WEEK:
        return f"Every {WEEKDAYS[schedule.weekday]} {at}"
    return f"On day {schedule.day} of every month {at}" if schedule.every is Every.MONTH else f"Every day {at}"


def _subject(form: Form) -> tuple[Subject, int]:
    """`report-7` or `dashboard-3`."""
    kind, _, number = form.get("subject", "").partition("-")
    subject, found = said("subject", kind, Subject, "a report or a dashboard"), whole_number(number)
    if subject is None or not found:
        raise InvalidInputError.of("subject", "must be a report or a dashboard")
    return subject, found


def _rule(form: Form) -> dict[str, Any]:
    return {
        "recipients": tuple(form.get("recipients", "").replace(",", " ").replace(";", " ").split()),
        "every": said("every", form.get("every", ""), Every, "day, week or month") or Every.WEEK,
        "hour": _number(form, "hour", 0, _LAST_HOUR),
        "weekday": _number(form, "weekday", 0, len(WEEKDAYS) - 1),
        "day": _number(form, "day", 1, _LAST_DAY),
    }


def _number(form: Form, name: str, least: int, most: int) -> int:
    found = whole_number(form.get(name, ""))
    if found is None or not least <= found <= most:
        raise InvalidInputError.of(name, f"must be between {least} and {most}")
    return found


def _menus(visit: Visit) -> dict[str, Any]:
    return {
        "hours": [(str(hour), f"{hour:02}:00") for hour in range(_LAST_HOUR + 1)],
        "weekdays": [(str(index), name) for index, name in enumerate(WEEKDAYS)],
        "zone": visit.notation.zone.replace("_", " "),
        "when": when,
    }


async def _new(  # noqa: PLR0913, PLR0917  who, the services, what is in the form
    visit: Visit,
    reports: ReportService,
    dashboards: DashboardService,
    links: LinkService,
    form: Form,
    problem: WebError | None = None,
) -> Html:
    found = [(f"report-{one.id}", one.name) for one in (await reports.list(visit.actor, MAX_LIMIT)).items]
    found += [(f"dashboard-{one.id}", one.name) for one in (await dashboards.list(visit.actor, MAX_LIMIT)).items]
    context = {
        **_menus(visit),
        "subjects": found,
        "form": form,
        "sends": await links.available(),
        "errors": field_errors(problem) if problem else {},
        "problem": problem,
    }
    return show(visit, "report_mails/new.html.j2", context, status=problem.status if problem else 200)


async def _page(  # noqa: PLR0913, PLR0917  who, the service, which one, what is in the form
    request: AnyRequest,
    visit: Visit,
    report_mails: ReportMailService,
    schedule_id: int,
    form: Form | None = None,
    problem: WebError | None = None,
) -> Html:
    schedule = await report_mails.get(visit.actor, schedule_id)
    here = address(f"{PAGE}/{schedule_id}", request.query_params.multi_items(), "cursor", "back")
    sent = await report_mails.sendings(visit.actor, schedule_id, cursor=here.get("cursor") or None)
    typed = {name: str(value) for name, value in msgspec.structs.asdict(schedule).items()}
    own = schedule.owner == visit.actor.email or visit.can.manage_collections
    context = {
        **_menus(visit),
        "schedule": schedule,
        "form": form or {**typed, "recipients": "\n".join(schedule.recipients)},
        "changeable": visit.can.write_records and own,
        "sent": sent,
        "page_links": page_links(here, sent.next_cursor),
        "errors": field_errors(problem) if problem else {},
        "problem": problem,
    }
    return show(visit, "report_mails/show.html.j2", context, status=problem.status if problem else 200)
