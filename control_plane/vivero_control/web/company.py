"""Pages about the company that runs the installation; there are none without `settings.company`."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template
from vivero_web.errors import NotFoundError

from vivero_control.domain.contracts.policies import TERMS_VERSION
from vivero_control.domain.plans.service import PlanService
from vivero_control.settings import Settings
from vivero_control.web import presentation
from vivero_control.web.site import FIVE_MINUTES, known, site_page


def _page(name: str, settings: Settings, *, trial_days: int | None = None) -> Template:
    if settings.company is None:
        raise NotFoundError("There is no page of this address.")
    return site_page(name, settings, trial_days=trial_days, version=TERMS_VERSION)


class CompanyController(Controller):
    """Who is behind it, and on what terms."""

    include_in_schema = False

    @get("/contact", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def contact(self, settings: NamedDependency[Settings]) -> Template:
        return _page("contact", settings)

    @get("/imprint", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def imprint(self, settings: NamedDependency[Settings]) -> Template:
        return _page("imprint", settings)

    @get("/privacy", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def privacy(self, settings: NamedDependency[Settings]) -> Template:
        return _page("privacy", settings)

    @get("/terms", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def terms(self, settings: NamedDependency[Settings], plans: NamedDependency[PlanService]) -> Template:
        return _page("terms", settings, trial_days=presentation.trial_days(known(plans.offered)))

    @get("/data-processing", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def data_processing(self, settings: NamedDependency[Settings]) -> Template:
        return _page("data_processing", settings)

    @get("/sub-processors", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def sub_processors(self, settings: NamedDependency[Settings]) -> Template:
        return _page("sub_processors", settings)
