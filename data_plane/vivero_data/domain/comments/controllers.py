"""`/api/v1/collections/{name}/records/{record_id}/comments`."""

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.collections.schemas import CollectionName
from vivero_data.domain.comments.schemas import Comment, CommentId, NewComment
from vivero_data.domain.comments.service import CommentService, CommentsFullError
from vivero_data.domain.records.controllers import RecordId
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class CommentController(Controller):
    """What people say about a record."""

    path = "/collections/{name:str}/records/{record_id:int}/comments"
    tags = ("Comments",)

    @get()
    async def list_comments(  # noqa: PLR0913, PLR0917  path and query
        self,
        actor: NamedDependency[Actor],
        comments: NamedDependency[CommentService],
        name: CollectionName,
        record_id: RecordId,
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[Comment]:
        """A page of comments, the oldest first."""
        return await comments.list(actor, name, record_id, limit, cursor)

    @post(guards=[needs(Permission.WRITE_RECORDS)])
    @raises(CommentsFullError)
    async def create_comment(
        self,
        actor: NamedDependency[Actor],
        comments: NamedDependency[CommentService],
        name: CollectionName,
        record_id: RecordId,
        data: JSONBody[NewComment],
    ) -> Comment:
        """Say something about the record."""
        return await comments.create(actor, name, record_id, data.text)

    @patch("/{comment_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    async def change_comment(  # noqa: PLR0913, PLR0917  path and body
        self,
        actor: NamedDependency[Actor],
        comments: NamedDependency[CommentService],
        name: CollectionName,
        record_id: RecordId,
        comment_id: CommentId,
        data: JSONBody[NewComment],
    ) -> Comment:
        """Give one's own comment another text."""
        return await comments.change(actor, name, record_id, comment_id, data.text)

    @delete("/{comment_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    async def delete_comment(
        self,
        actor: NamedDependency[Actor],
        comments: NamedDependency[CommentService],
        name: CollectionName,
        record_id: RecordId,
        comment_id: CommentId,
    ) -> None:
        """Delete one's own comment; administrators may delete any."""
        await comments.delete(actor, name, record_id, comment_id)
