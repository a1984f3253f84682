"""Comments: everybody reads them, members write them, each changes their own, administrators may delete any."""

from typing import Final

from vivero_web.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record as log
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.comments import repository
from vivero_data.domain.comments.schemas import LENGTH, Comment
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.field_types.long_text import lines
from vivero_data.domain.field_types.text import checked_text
from vivero_data.domain.records import repository as records
from vivero_data.domain.records.access import access_of
from vivero_data.domain.records.entries import subject_of
from vivero_data.domain.records.errors import RecordNotFoundError
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

MAX_COMMENTS: Final = 1_000  # of one record
_SORT: Final = "id"


class CommentNotFoundError(NotFoundError):
    """The record has no such comment."""

    def __init__(self) -> None:
        super().__init__("This record has no such comment.")


class CommentsFullError(ConflictError):
    """The record has as many comments as one can have."""

    def __init__(self) -> None:
        super().__init__(f"A record has at most {MAX_COMMENTS:,} comments. Delete some of them first.")


class CommentService:
    """The comments of a record, by the name of its collection and its number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, actor: Actor, collection: str, record_id: int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[Comment]:
        """A page of them, the oldest first."""
        require_permission(actor, Permission.READ)
        check_limit(limit)
        above = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            definition = await _of(connection, actor, collection, record_id)
            found = await repository.select_page(connection, definition.id, record_id, limit, above)
        return page_of(found, limit, lambda comment: cursors.by_id(_SORT, comment.id))

    async def create(self, actor: Actor, collection: str, record_id: int, text: str) -> Comment:
        """Add one.

        Raises:
            InvalidInputError: the text is empty, too long or has invisible characters.
            CommentsFullError: there are too many.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        wanted = _checked(text)
        async with self._database.transaction() as tx:
            definition = await _of(tx, actor, collection, record_id, Right.CHANGE)
            if await repository.count(tx, definition.id, record_id) >= MAX_COMMENTS:
                raise CommentsFullError
            number = await repository.insert(tx, definition.id, record_id, actor.user_id, wanted)
            await log(tx, actor, "comment.create", subject_of(definition, record_id), after={"text": wanted})
            return _found(await repository.get(tx, definition.id, record_id, number))

    async def change(self, actor: Actor, collection: str, record_id: int, comment_id: int, text: str) -> Comment:
        """Give one's own comment another text; the same text changes nothing.

        Raises:
            NotAllowedError: it is somebody else's.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        wanted = _checked(text)
        async with self._database.transaction() as tx:
            definition = await _of(tx, actor, collection, record_id, Right.CHANGE)
            before = _found(await repository.get(tx, definition.id, record_id, comment_id))
            if before.author_id != actor.user_id:
                raise NotAllowedError("Only who wrote a comment can change it.")
            if before.text == wanted:
                return before
            await repository.update(tx, comment_id, wanted)
            subject = subject_of(definition, record_id)
            await log(tx, actor, "comment.update", subject, before={"text": before.text}, after={"text": wanted})
            return _found(await repository.get(tx, definition.id, record_id, comment_id))

    async def delete(self, actor: Actor, collection: str, record_id: int, comment_id: int) -> None:
        """Remove one's own comment, or as an administrator any.

        Raises:
            NotAllowedError: it is somebody else's.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.transaction() as tx:
            definition = await _of(tx, actor, collection, record_id, Right.CHANGE)
            before = _found(await repository.get(tx, definition.id, record_id, comment_id))
            if not may_delete(actor, before):
                raise NotAllowedError("Only who wrote a comment, or an administrator, can delete it.")
            await repository.delete(tx, comment_id)
            await log(tx, actor, "comment.delete", subject_of(definition, record_id), before={"text": before.text})


def may_delete(actor: Actor, comment: Comment) -> bool:
    return comment.author_id == actor.user_id or actor.may(Permission.MANAGE_COLLECTIONS)


async def _of(
    connection: Connection, actor: Actor, collection: str, record_id: int, right: Right | None = None
) -> Collection:
    """The collection, which has such a record, and where the actor's role has this right."""
    access = await access_of(connection, actor, collection)
    if right:
        access.require(right)
    if await records.get(connection, access, record_id) is None:
        raise RecordNotFoundError
    return access.whole


def _checked(text: str) -> str:
    wanted = lines(text).strip()
    if not wanted:
        raise InvalidInputError.of("text", "must not be empty")
    try:
        return checked_text(wanted, LENGTH, lines=True)
    except InvalidValueError as error:
        raise InvalidInputError.of("text", str(error)) from error


def _found(comment: Comment | None) -> Comment:
    if comment is None:
        raise CommentNotFoundError
    return comment
