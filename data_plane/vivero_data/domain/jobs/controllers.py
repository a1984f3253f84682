"""`/api/v1/jobs`."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from vivero_web.fields import LARGEST

from vivero_data.domain.jobs.repository import Job
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit

JobId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The job's number.")]


class JobController(Controller):
    """The caller's own jobs."""

    path = "/jobs"
    tags = ("Jobs",)

    @get()
    async def list_jobs(
        self,
        actor: NamedDependency[Actor],
        jobs: NamedDependency[JobService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[Job]:
        """A page of the caller's jobs, newest first; finished jobs are kept for a day."""
        return await jobs.list(actor, limit, cursor)

    @get("/{job_id:int}")
    async def get_job(self, actor: NamedDependency[Actor], jobs: NamedDependency[JobService], job_id: JobId) -> Job:
        """One job, with its progress."""
        return await jobs.get(actor, job_id)
