"""The public pages: landing and pricing."""

from collections.abc import Callable
from typing import Any, Final

from litestar import Controller, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.response import Template
from vivero_web.errors import UnavailableError

from vivero_control.domain.plans.service import PlanService, PlanView
from vivero_control.settings import Settings
from vivero_control.web import presentation, selling_points

FIVE_MINUTES: Final = CacheControlHeader(max_age=300, public=True)


def known(plans: Callable[[], tuple[PlanView, ...]]) -> tuple[PlanView, ...]:
    """These plans, or none while the cluster does not answer: the page stands without them."""
    try:
        return plans()
    except UnavailableError:
        return ()


def workspace_domain(settings: Settings) -> str:
    """What follows a workspace's slug in its address, with the port if it is not the usual one."""
    return presentation.host_of(settings.origin)


class SiteController(Controller):
    """Pages that know nobody."""

    include_in_schema = False

    @get("/", name="landing", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def landing(self, plans: NamedDependency[PlanService], settings: NamedDependency[Settings]) -> Template:
        listed = known(plans.offered)
        context: dict[str, Any] = {
            "plans": listed,
            "trial_days": presentation.trial_days(listed),
            "domain": workspace_domain(settings),
            "how": selling_points.HOW,
            "workspace": selling_points.WORKSPACE,
            "isolation": selling_points.ISOLATION,
        }
        return Template("pages/landing.html.j2", context=context)

    @get("/pricing", name="pricing", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def pricing(self, plans: NamedDependency[PlanService], settings: NamedDependency[Settings]) -> Template:
        listed = known(plans.offered)
        rows = presentation.compare(listed, supported=settings.mail.reply_to is not None)
        return Template(
            "pages/pricing.html.j2", context={"plans": listed, "rows": rows, "questions": selling_points.QUESTIONS}
        )
