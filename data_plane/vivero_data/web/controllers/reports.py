"""Reports: the list, one with its chart and table, and the form that shows what it would compute."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.bodies import read_form
from vivero_web.errors import ConflictError, InvalidInputError, WebError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionNotFoundError, CollectionService
from vivero_data.domain.reports.errors import ReportBrokenError, ReportTooSlowError
from vivero_data.domain.reports.schemas import Definition, NewReport, Report, ReportChanges
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.web import report_form
from vivero_data.web.forms import FORM_ERRORS, Form, field_errors
from vivero_data.web.listing import address, page_links
from vivero_data.web.operators import OPERATORS
from vivero_data.web.page import Visit, done, fragment, require, show
from vivero_data.web.render import Html
from vivero_data.web.reports import Shown

_PREVIEW_ERRORS: Final = (InvalidInputError, ConflictError)


@get("/reports")
async def report_list(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], reports: NamedDependency[ReportService]
) -> Html:
    here = address("/reports", request.query_params.multi_items(), "cursor", "back")
    page = await reports.list(visit.actor, cursor=here.get("cursor") or None)
    context = {"page": page, "page_links": page_links(here, page.next_cursor), "kinds": dict(report_form.KINDS)}
    return show(visit, "reports/list.html.j2", context)


@get("/reports/new")
async def new_report(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collections: NamedDependency[CollectionService],
    reports: NamedDependency[ReportService],
) -> Html:
    require(visit, Permission.WRITE_RECORDS, "make reports")
    wanted = request.query_params.get("collection", "")
    if not visit.collections:
        return show(visit, "reports/new.html.j2", {})
    chosen = await collections.get(visit.actor, wanted or visit.collections[0].name)
    return await _form(visit, collections, reports, chosen, report_form.first_form(chosen))


@get("/reports/preview")
async def preview_report(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collections: NamedDependency[CollectionService],
    reports: NamedDependency[ReportService],
) -> Html:
    """What a report would show, as an HTML fragment."""
    form = dict(request.query_params.items())
    chosen = await collections.get(visit.actor, form.get("collection", ""))
    return fragment(
        visit, "reports/preview.html.j2", {"title": "Preview", "shown": await _preview(visit, reports, chosen, form)}
    )


@post("/reports/new")
async def create_report(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collections: NamedDependency[CollectionService],
    reports: NamedDependency[ReportService],
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, "make reports")
    form = await read_form(request)
    chosen = await collections.get(visit.actor, form.get("collection", ""))
    try:
        definition = report_form.definition_of(form, chosen, visit.notation)
        made = await reports.create(visit.actor, _new(form, chosen, definition))
    except FORM_ERRORS as error:
        return await _form(visit, collections, reports, chosen, form, problem=error)
    return done(f"/reports/{made.id}", "report-created")


@get("/reports/{report_id:int}")
async def report_page(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    reports: NamedDependency[ReportService],
    report_id: FromPath[int],
) -> Html:
    report = await reports.get(visit.actor, report_id)
    own = report.owner == visit.actor.email or visit.can.manage_collections
    context = {
        "report": report,
        "changeable": visit.can.write_records and own,
        "do": request.query_params.get("do", ""),
    }
    return show(visit, "reports/show.html.j2", {**context, "shown": await shown_report(visit.actor, reports, report)})


@get("/reports/{report_id:int}/edit")
async def edit_report(
    visit: NamedDependency[Visit],
    collections: NamedDependency[CollectionService],
    reports: NamedDependency[ReportService],
    report_id: FromPath[int],
) -> Html:
    require(visit, Permission.WRITE_RECORDS, "change reports")
    report = await reports.get(visit.actor, report_id)
    chosen = await _collection_of(visit.actor, collections, report)
    words = {"name": report.name, "description": report.description, "shared": "true" if report.shared else ""}
    form = {**report_form.form_of(report.definition), **words, "collection": report.collection}
    return await _form(visit, collections, reports, chosen, form, report=report)


@post("/reports/{report_id:int}")
async def save_report(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collections: NamedDependency[CollectionService],
    reports: NamedDependency[ReportService],
    report_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, "change reports")
    form = await read_form(request)
    report = await reports.get(visit.actor, report_id)
    chosen = await _collection_of(visit.actor, collections, report)
    try:
        new = _new(form, chosen, report_form.definition_of(form, chosen, visit.notation))
        changes = {name: getattr(new, name) for name in ReportChanges.__struct_fields__}
        await reports.update(visit.actor, report_id, ReportChanges(**changes))
    except FORM_ERRORS as error:
        return await _form(visit, collections, reports, chosen, form, report=report, problem=error)
    return done(f"/reports/{report_id}", "report-saved")


@post("/reports/{report_id:int}/delete")
async def delete_report(
    visit: NamedDependency[Visit], reports: NamedDependency[ReportService], report_id: FromPath[int]
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, "delete reports")
    await reports.delete(visit.actor, report_id)
    return done("/reports", "report-deleted")


async def _collection_of(actor: Actor, collections: CollectionService, report: Report) -> Collection:
    try:
        return await collections.get(actor, report.collection)
    except CollectionNotFoundError as error:
        raise ReportBrokenError(report.problem) from error


def _new(form: Form, collection: Collection, definition: Definition) -> NewReport:
    parts = {name: getattr(definition, name) for name in Definition.__struct_fields__}
    return NewReport(
        **parts,
        name=form.get("name", ""),
        collection=collection.name,
        description=form.get("description", ""),
        shared="shared" in form,
    )


async def shown_report(actor: Actor, reports: ReportService, report: Report) -> Shown:
    """A report's figures, or why there are none."""
    try:
        _, data = await reports.data(actor, report.id)
    except (ReportBrokenError, ReportTooSlowError) as error:
        return Shown(report.definition, problem=error.detail)
    return Shown(report.definition, data)


async def _preview(visit: Visit, reports: ReportService, collection: Collection, form: Form) -> Shown:
    definition = Definition()
    try:
        definition = report_form.definition_of(form, collection, visit.notation)
        return Shown(definition, await reports.preview(visit.actor, collection.name, definition))
    except _PREVIEW_ERRORS as error:
        return Shown(definition, problem=" ".join(field_errors(error).values()) or error.detail)


async def _form(  # noqa: PLR0913  who, the two services, of what, what is in it
    visit: Visit,
    collections: CollectionService,
    reports: ReportService,
    chosen: Collection,
    form: Form,
    *,
    report: Report | None = None,
    problem: WebError | None = None,
) -> Html:
    context = {
        "form": form,
        "report": report,
        "names": [one.name for one in await collections.list(visit.actor)],
        "groupings": report_form.groupings(chosen, form),
        "measures": report_form.measures(chosen, form),
        "fields": report_form.fields(chosen),
        "operators": list(OPERATORS.items()),
        "kinds": [one for one in report_form.KINDS if one[0] in reports.offered or (report and report.kind is one[0])],
        "orders": report_form.ORDERS,
        "measure_rows": report_form.measure_rows(form),
        "filter_rows": report_form.FILTER_ROWS,
        "errors": field_errors(problem) if problem else {},
        "refused": problem,
        "preview": await _preview(visit, reports, chosen, form),
    }
    return show(visit, "reports/form.html.j2", context, status=problem.status if problem else 200)
