"""Jobs: the page with progress and result."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from vivero_data.domain.jobs.service import JobService
from vivero_data.web.page import Visit, show
from vivero_data.web.render import Html


@get("/jobs/{job_id:int}")
async def job_page(visit: NamedDependency[Visit], jobs: NamedDependency[JobService], job_id: FromPath[int]) -> Html:
    return show(visit, "jobs/show.html.j2", {"job": await jobs.get(visit.actor, job_id)})
