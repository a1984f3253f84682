"""Comments on the page of a record."""

from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from vivero_web.bodies import read_form

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.comments.service import CommentService
from vivero_data.domain.users.schemas import Permission
from vivero_data.web.list_state import back_to_record
from vivero_data.web.page import Visit, done, require

PATH = "/collections/{name:str}/records/{record_id:int}/comments"


@post(PATH)
async def add_comment(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    comments: NamedDependency[CommentService],
    record_id: FromPath[int],
) -> Redirect:
    require(visit, Permission.WRITE_RECORDS, "write comments")
    form = await read_form(request)
    await comments.create(visit.actor, collection.name, record_id, form.get("text", ""))
    return done(back_to_record(collection, record_id, form.get("shown", ""), "comments"), "comment-added")


@post(f"{PATH}/{{comment_id:int}}")
async def change_comment(  # noqa: PLR0913, PLR0917  path and services
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    comments: NamedDependency[CommentService],
    record_id: FromPath[int],
    comment_id: FromPath[int],
) -> Redirect:
    """One's own gets another text, or is deleted."""
    require(visit, Permission.WRITE_RECORDS, "change comments")
    form = await read_form(request)
    back = back_to_record(collection, record_id, form.get("shown", ""), "comments")
    if form.get("action") == "delete":
        await comments.delete(visit.actor, collection.name, record_id, comment_id)
        return done(back, "comment-deleted")
    await comments.change(visit.actor, collection.name, record_id, comment_id, form.get("text", ""))
    return done(back, "comment-changed")
