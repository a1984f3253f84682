"""`/api/v1/usage`."""

from litestar import Controller, get
from litestar.di import NamedDependency

from vivero_data.domain.usage.service import Usage, UsageService
from vivero_data.domain.users.schemas import Actor


class UsageController(Controller):
    """What counts against the plan."""

    path = "/usage"
    tags = ("Usage",)

    @get()
    async def get_usage(self, actor: NamedDependency[Actor], usage: NamedDependency[UsageService]) -> Usage:
        """What is used and what is allowed of all that counts."""
        return await usage.get(actor)
