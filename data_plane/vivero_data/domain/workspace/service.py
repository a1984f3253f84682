"""Stores who the workspace is and makes its owner, both or neither; doing it again changes nothing."""

from vivero_data.db.database import Database
from vivero_data.domain.identity import repository
from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.owner import service as owners
from vivero_data.domain.users.service import name_problem
from vivero_data.domain.workspace.schemas import Introduction, WorkspaceState
from vivero_data.errors import FieldError, InvalidInputError


class WorkspaceService:
    """What the operator calls when a spare is claimed, and when a name or an address changes."""

    def __init__(self, database: Database, identity: IdentityService) -> None:
        self._database = database
        self._identity = identity

    async def introduce(self, said: Introduction) -> WorkspaceState:
        """Remember the name and the address, and create the owner unless there is one.

        Raises:
            InvalidInputError: naming every field at fault.
        """
        errors = problems_with(said)
        if errors:
            raise InvalidInputError.of_all(errors)
        try:
            async with self._database.transaction() as tx:
                await repository.save(tx, said.identity)
                owner = await owners.ensure(tx, said.owner) if said.owner else None
        finally:
            # Even when it failed: a commit whose answer got lost may have happened.
            self._identity.forget()
        return WorkspaceState(said.identity, owner)


def problems_with(said: Introduction) -> list[FieldError]:
    """What the types cannot say."""
    blank = None if said.name.strip() else "must not be blank"
    problem = name_problem(said.name) or blank
    owner = owners.problems_with(said.owner) if said.owner else []
    return [
        *([FieldError("name", problem)] if problem else []),
        *(FieldError(f"owner.{error.field}", error.message) for error in owner),
    ]
