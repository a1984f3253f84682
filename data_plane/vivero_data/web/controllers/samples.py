"""Start from a template with sample data, and remove what came of it."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from vivero_data.domain.samples.service import TEMPLATES, SampleService, template
from vivero_data.domain.users.schemas import Permission
from vivero_data.web.forms import FORM_ERRORS
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

_START = "start from a template"


@get("/templates")
async def template_list(visit: NamedDependency[Visit], samples: NamedDependency[SampleService]) -> Html:
    require(visit, Permission.MANAGE_WORKSPACE, _START)
    return await _list(visit, samples)


@post("/templates/{name:str}")
async def start_from_template(
    visit: NamedDependency[Visit], samples: NamedDependency[SampleService], name: FromPath[str]
) -> Response[Any]:
    require(visit, Permission.MANAGE_WORKSPACE, _START)
    try:
        await samples.start(visit.actor, name)
    except FORM_ERRORS as error:
        return await _list(visit, samples, error.detail, error.status)
    return done("/", "sample-created")


@post("/samples/{sample_id:int}/delete")
async def delete_sample(
    visit: NamedDependency[Visit], samples: NamedDependency[SampleService], sample_id: FromPath[int]
) -> Response[Any]:
    require(visit, Permission.MANAGE_WORKSPACE, "remove sample data")
    await samples.remove(visit.actor, sample_id)
    return done("/", "sample-deleted")


async def _list(visit: Visit, samples: SampleService, problem: str = "", status: int = 200) -> Html:
    context = {
        "templates": [(name, template(name)) for name in TEMPLATES],
        "used": [(one, template(one.template)) for one in await samples.list(visit.actor)],
        "problem": problem,
    }
    return show(visit, "templates.html.j2", context, status=status)
