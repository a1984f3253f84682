"""Jobs: the page with progress and result."""

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.report_mails.job import KIND as REPORT_MAIL
from vivero_data.domain.usage.job import KIND as LIMIT_MAIL
from vivero_data.domain.workspace_exports.job import KIND as WORKSPACE_EXPORT
from vivero_data.web.page import Visit, done, show

_IMPORTS: Final = frozenset({"import", "import_undo"})


@get("/jobs/{job_id:int}")
async def job_page(
    visit: NamedDependency[Visit], jobs: NamedDependency[JobService], job_id: FromPath[int]
) -> Response[Any]:
    job = await jobs.get(visit.actor, job_id)
    if job.kind in _IMPORTS:  # which have pages of their own
        return done("/imports")
    if job.kind == LIMIT_MAIL:
        return done("/usage")
    if job.kind == REPORT_MAIL:
        return done("/report-schedules")
    if job.kind == WORKSPACE_EXPORT:
        return done("/workspace-export")
    return show(visit, "jobs/show.html.j2", {"job": job})
