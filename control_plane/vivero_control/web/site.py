"""The public pages: landing and pricing, and what search engines read."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from litestar import Controller, MediaType, Request, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK
from vivero_web.errors import UnavailableError, WebError

from vivero_control.domain.figures.counting import VisitCounter
from vivero_control.domain.plans.service import PlanService, PlanView
from vivero_control.domain.signups.leads import cleaned
from vivero_control.settings import Settings
from vivero_control.web import presentation, selling_points

COMPANY_PATHS: Final = ("/contact", "/imprint", "/privacy", "/terms", "/data-processing", "/sub-processors")
"""Pages that are there with `settings.company` alone."""
ACCOUNT: Final = "/account"
"""The plan of a workspace, for its owner; with `settings.billing` alone."""
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


def site_page(
    name: str,
    settings: Settings,
    *,
    status: int = HTTP_200_OK,
    headers: Mapping[str, str] | None = None,
    **context: object,
) -> Template:
    """A page with the site's head and foot, which lead to the company's pages where there are any."""
    return Template(
        f"pages/{name}.html.j2",
        context={"company": settings.company, "sells": settings.billing is not None, **context},
        status_code=status,
        headers=dict(headers or {}),
    )


def form_page(name: str, settings: Settings, error: WebError | None, **context: object) -> Template:
    """A page with a form, and what is wrong with what was sent: `errors` by field, or else `problem`."""
    errors = error.by_field if error else {}
    return site_page(
        name,
        settings,
        status=error.status if error else HTTP_200_OK,
        headers=error.headers if error else {},
        errors=errors,
        problem=error.detail if error and not errors else "",
        **context,
    )


def is_page_load(headers: Mapping[str, str]) -> bool:
    """Whether a browser shows the page to a person: what reads it for another purpose does not say so."""
    return headers.get("sec-fetch-dest") == "document" and headers.get("sec-purpose") is None


class SiteController(Controller):
    """Pages without a login."""

    include_in_schema = False

    @get("/", name="landing", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def landing(
        self,
        request: Request[Any, Any, Any],
        plans: NamedDependency[PlanService],
        settings: NamedDependency[Settings],
        visits: NamedDependency[VisitCounter],
    ) -> Template:
        if is_page_load(request.headers):
            said, came_from = dict(request.query_params), request.headers.get("referer", "")
            visits.count(cleaned(said, own_host=settings.domain, referrer=came_from))
        listed = known(plans.offered)
        context: dict[str, Any] = {
            "plans": listed,
            "trial_days": presentation.trial_days(listed),
            "domain": workspace_domain(settings),
            "how": selling_points.HOW,
            "workspace": selling_points.WORKSPACE,
            "isolation": selling_points.ISOLATION,
        }
        return site_page("landing", settings, **context)

    @get("/pricing", name="pricing", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def pricing(self, plans: NamedDependency[PlanService], settings: NamedDependency[Settings]) -> Template:
        listed = known(plans.offered)
        rows = presentation.compare(listed, supported=settings.mail.reply_to is not None)
        return site_page("pricing", settings, plans=listed, rows=rows, questions=selling_points.QUESTIONS)

    @get("/robots.txt", media_type=MediaType.TEXT, cache_control=FIVE_MINUTES, sync_to_thread=False)
    def robots(self, settings: NamedDependency[Settings]) -> str:
        """What search engines leave alone: what is about one person, and what is for staff."""
        shut = "".join(
            f"Disallow: {path}\n" for path in ("/api/", "/signup/", "/staff/", "/account/", "/confirm", "/quote")
        )
        return f"User-agent: *\n{shut}\nSitemap: {settings.origin}/sitemap.xml\n"

    @get("/sitemap.xml", media_type="application/xml; charset=utf-8", cache_control=FIVE_MINUTES, sync_to_thread=False)
    def sitemap(self, settings: NamedDependency[Settings]) -> str:
        """The pages for visitors (sitemaps.org)."""
        paths = ("/", "/pricing", "/signup", "/login", "/status", *(COMPANY_PATHS if settings.company else ()))
        listed = "".join(f"<url><loc>{escape(settings.origin + path)}</loc></url>" for path in paths)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>'
        )
