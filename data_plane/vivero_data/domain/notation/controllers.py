"""`/api/v1/workspace/settings`."""

from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from vivero_data.domain.auth.guards import needs
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
