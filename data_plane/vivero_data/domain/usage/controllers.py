"""`/api/v1/usage`."""

from litestar import Controller, get
from litestar.di import NamedDependency

from vivero_data.domain.usage.published import LimitGroup
from vivero_data.domain.usage.service import Usage, UsageService
from vivero_data.domain.users.schemas import Actor


class LimitsController(Controller):
    """Every limit of the workspace."""

    path = "/limits"
    tags = ("Usage",)

    @get()
    async def get_limits(self, actor: NamedDependency[Actor], usage: NamedDependency[UsageService]) -> list[LimitGroup]:
        """Every limit, of the plan and of the program, and how much of it is used where that is one figure."""
        return await usage.published(actor)


class UsageController(Controller):
    """What counts against the plan."""

    path = "/usage"
    tags = ("Usage",)

    @get()
    async def get_usage(self, actor: NamedDependency[Actor], usage: NamedDependency[UsageService]) -> Usage:
        """What is used and what is allowed of all that counts."""
        return await usage.get(actor)
