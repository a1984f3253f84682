"""`/api/v1/usage`, `/api/v1/limits`, and `/internal/v1/usage`."""

from litestar import Controller, get
from litestar.di import NamedDependency

from vivero_data.domain.tickets.guards import asked_for_usage
from vivero_data.domain.usage.published import LimitGroup
from vivero_data.domain.usage.service import PlatformUsage, Usage, UsageService
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


class PlatformUsageController(Controller):
    """For the control plane; not in the public OpenAPI document.

    It shows it to who manages the workspace from outside, and scores trials by its signs.
    """

    path = "/usage"
    guards = (asked_for_usage,)
    include_in_schema = False

    @get()
    async def get_platform_usage(self, usage: NamedDependency[UsageService]) -> PlatformUsage:
        """As `/api/v1/usage`, with what has been done with the workspace."""
        return await usage.for_platform()
