"""The jobs of imports, as the server queues them; what only their child process needs is imported there."""

from vivero_data.db.database import Connection
from vivero_data.domain.imports import repository
from vivero_data.domain.imports.schemas import ImportNotFoundError
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.users.schemas import Actor


class ImportRows(Task, frozen=True):
    """Reads a file, and writes its rows unless a person is to look at the plan first. Goes on where an attempt ended."""

    import_id: int

    async def check(self, connection: Connection, _: Actor) -> str:
        return await _subject(connection, self.import_id)

    async def run(self, context: TaskContext) -> None:
        from vivero_data.domain.imports.running import Running  # noqa: PLC0415  only the child needs it

        await Running(context, self.import_id).run()


class UndoImport(Task, frozen=True):
    """Takes an import back, a batch at a time, and goes on where an attempt ended."""

    import_id: int

    async def check(self, connection: Connection, _: Actor) -> str:
        return await _subject(connection, self.import_id)

    async def run(self, context: TaskContext) -> None:
        from vivero_data.domain.imports.undoing import Undoing  # noqa: PLC0415  as above

        await Undoing(context, self.import_id).run()


async def _subject(connection: Connection, import_id: int) -> str:
    found = await repository.work(connection, import_id)
    if found is None:
        raise ImportNotFoundError
    return found.collection_name
