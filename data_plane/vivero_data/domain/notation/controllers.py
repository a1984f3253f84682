"""`/api/v1/workspace/settings`, and `/api/v1/me/notation`."""

from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from vivero_data.domain.auth.guards import needs, needs_person
from vivero_data.domain.notation.person import PersonNotation, PersonNotationChanges, PersonNotationService
from vivero_data.domain.notation.service import NotationService, SettingsChanges, WorkspaceSettings
from vivero_data.domain.users.schemas import Actor, Permission


class SettingsController(Controller):
    """What people chose for their workspace."""

    path = "/workspace/settings"
    tags = ("Workspace",)

    @get()
    async def get_settings(
        self, actor: NamedDependency[Actor], notation: NamedDependency[NotationService]
    ) -> WorkspaceSettings:
        """The time zone and the notations of the pages."""
        return await notation.get(actor)

    @patch(guards=[needs(Permission.MANAGE_WORKSPACE)])
    async def change_settings(
        self,
        actor: NamedDependency[Actor],
        notation: NamedDependency[NotationService],
        data: JSONBody[SettingsChanges],
    ) -> WorkspaceSettings:
        """Change some of them."""
        return await notation.change(actor, data)


class PersonNotationController(Controller):
    """What the caller chose for themselves."""

    path = "/me/notation"
    tags = ("Users",)

    @get()
    async def get_my_notation(
        self, actor: NamedDependency[Actor], person_notation: NamedDependency[PersonNotationService]
    ) -> PersonNotation:
        """My own time zone and notations; null where they are the workspace's."""
        return await person_notation.get(actor)

    @patch(guards=[needs_person])
    async def change_my_notation(
        self,
        actor: NamedDependency[Actor],
        person_notation: NamedDependency[PersonNotationService],
        data: JSONBody[PersonNotationChanges],
    ) -> PersonNotation:
        """Change some of my own notation."""
        return await person_notation.change(actor, data)
