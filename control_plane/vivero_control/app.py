"""The applications: which routes, which layers around them, in which order. Composition only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import SecurityScheme
from litestar.plugins.prometheus import PrometheusConfig
from litestar.types import ASGIApp
from vivero_web.bodies import BoundedRequest
from vivero_web.clock import Clock, now
from vivero_web.current_request import Proxies
from vivero_web.openapi import json_document, openapi_config, yaml_document
from vivero_web.problem import Answers
from vivero_web.rate_limit import RateLimit, RouteLimits, per_address, signups
from vivero_web.request_context import RequestContext
from vivero_web.request_spans import RequestSpans, exemplar
from vivero_web.security import HSTS_DOMAIN, HSTS_HOST, json_only
from vivero_web.security_txt import security_txt_routes

from vivero_control import __version__, composition
from vivero_control.domain.acquisition.controllers import AcquisitionController
from vivero_control.domain.api_keys.controllers import StaffApiKeyController
from vivero_control.domain.audit.controllers import AuditLogController
from vivero_control.domain.backups.controllers import BackupController, RestoreController
from vivero_control.domain.billing.controllers import (
    SIGNATURE,
    DifferenceController,
    PaymentEventController,
    TenantBillingController,
)
from vivero_control.domain.bulk_runs.controllers import BulkRunController
from vivero_control.domain.contracts.controllers import ContractController, QuoteController
from vivero_control.domain.deleted.controllers import DeletedTenantController
from vivero_control.domain.figures.controllers import FigureController
from vivero_control.domain.invoices.controllers import ContractInvoiceController
from vivero_control.domain.leads.controllers import LeadController
from vivero_control.domain.margins.controllers import MarginController
from vivero_control.domain.overview.controllers import OverviewApiController
from vivero_control.domain.plans.controllers import PlanController
from vivero_control.domain.platform.controllers import PlatformBackupController
from vivero_control.domain.signups.controllers import (
    BEARER,
    ConfirmationController,
    SignupController,
    TenantLeadController,
)
from vivero_control.domain.staff.controllers import AuthController, MemberController, SecondFactorController
from vivero_control.domain.staff.guards import STAFF, api_key_allows, bearer_auth, second_factor_set_up
from vivero_control.domain.status.controllers import IncidentController, StatusController
from vivero_control.domain.tenant_views.controllers import TenantViewController
from vivero_control.domain.tenants.controllers import TenantController, TenantOrderController
from vivero_control.domain.tenants.hosts import ForeignHosts, HostDispatch
from vivero_control.domain.timeline.controllers import TimelineController
from vivero_control.domain.webhooks.controllers import WebhookController
from vivero_control.lib.health import HealthController, internal_app
from vivero_control.services import Pages, Services
from vivero_control.settings import Settings


@dataclass(frozen=True, slots=True)
class Program:
    """The two applications of the web server's process."""

    public: Litestar
    """For people and their programs, behind the ingress."""
    internal: Litestar
    """For kubelet and Prometheus, on a port of its own."""


def create_program(settings: Settings, pages: Pages | None = None, clock: Clock = now) -> Program:
    """`pages` is the web layer, without it there is only the API."""
    pages = pages or Pages()
    infrastructure = composition.infrastructure(settings, clock)
    services = composition.services(infrastructure)
    answers = Answers(pages.error_page)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with infrastructure.open(), infrastructure.watching():
            yield

    metrics = PrometheusConfig(app_name="vivero_control", prefix="vivero_control", group_path=True, exemplars=exemplar)
    app = Litestar(
        route_handlers=[
            _api(services),
            HealthController,
            *security_txt_routes(settings.security_contact, clock),
            *pages.route_handlers,
        ],
        dependencies=services.dependencies(),
        exception_handlers={Exception: answers.to},
        middleware=[metrics.middleware],
        request_class=BoundedRequest,
        request_max_body_size=settings.limits.body_bytes,
        cors_config=_cors(settings),
        template_config=pages.template_config,
        openapi_config=_openapi(),
        lifespan=[lifespan],
        logging_config=None,
    )
    app.asgi_handler = _surrounded(app.asgi_handler, services, infrastructure, answers, pages)
    return Program(public=app, internal=internal_app(services.health))


def _surrounded(
    app: ASGIApp, services: Services, infrastructure: composition.Infrastructure, answers: Answers, pages: Pages
) -> ASGIApp:
    """Layers that also hold for what no route answers; the first to see a request comes last."""
    limits, limiter = services.settings.limits, infrastructure.limiter
    charge = per_address(limits.requests_per_minute)
    route_limits = RouteLimits(limiter, signups(limits.signups_per_hour))
    own = RateLimit(route_limits.around(app), limiter, answers, charge)
    foreign_answers = Answers(pages.host_error)
    hosts = ForeignHosts(services.hosts, foreign_answers, pages.host_page)
    foreign = RateLimit(hosts, limiter, foreign_answers, charge)
    proxies = Proxies(limits.forwarded_hops, limits.trusted_proxies)
    spans = RequestSpans(infrastructure.tracer)
    # What is below a customer's own host is not ours to speak for.
    ours, theirs = (
        RequestContext(one, proxies, hsts=hsts, spans=spans) for one, hsts in ((own, HSTS_DOMAIN), (foreign, HSTS_HOST))
    )
    return HostDispatch(ours, theirs, services.hosts.is_own)


def _api(services: Services) -> Router:
    auth = bearer_auth(services.tokens, services.api_keys)
    staff_only = Router(
        path="/",
        route_handlers=[
            TenantController,
            TenantOrderController,
            BulkRunController,
            TenantViewController,
            BackupController,
            RestoreController,
            DeletedTenantController,
            PlatformBackupController,
            TenantBillingController,
            TenantLeadController,
            TimelineController,
            MarginController,
            DifferenceController,
            QuoteController,
            ContractController,
            ContractInvoiceController,
            FigureController,
            AcquisitionController,
            LeadController,
            IncidentController,
            AuditLogController,
            OverviewApiController,
            MemberController,
            SecondFactorController,
            StaffApiKeyController,
            WebhookController,
        ],
        guards=[second_factor_set_up, api_key_allows],
        middleware=[auth.middleware],
        security=[auth.security_requirement],
    )
    return Router(
        path="/api/v1",
        route_handlers=[
            SignupController,
            ConfirmationController,
            PlanController,
            AuthController,
            PaymentEventController,
            StatusController,
            staff_only,
        ],
        guards=[json_only],
    )


def _cors(settings: Settings) -> CORSConfig | None:
    """None at all by default: then browsers let no foreign page read an answer."""
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"],
        expose_headers=["etag", "location", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"],
    )


def _openapi() -> OpenAPIConfig:
    staff = "The access token of a login, good for 15 minutes or until the login ends; or an API key of a person, for programs."
    return openapi_config(
        title="Vivero control plane",
        version=__version__,
        description=(
            "Signups, plans and, for staff, tenants and who is of the staff. Every error is a problem (RFC 9457); every "
            "answer has an `X-Request-Id` to quote, and says in `RateLimit` how many more requests there is room for."
        ),
        schemes={
            STAFF: SecurityScheme(type="http", scheme="bearer", description=staff),
            BEARER: SecurityScheme(
                type="http", scheme="bearer", description="A signup's own `bearer`, for `login_url`."
            ),
            SIGNATURE: SecurityScheme(
                type="apiKey",
                name="Stripe-Signature",
                security_scheme_in="header",
                description="Time and signature of a message, by the secret that the provider shares with us.",
            ),
        },
        tags={
            "Signups": "From a form to a running workspace.",
            "Plans": "What there is to buy.",
            "Audit log": "What was done on the platform, by whom, to what and from where.",
            "Authentication": "Logins of staff for programs, and the way back for who has forgotten the password.",
            "API keys": "Keys by which programs act for one of the staff, made by that person.",
            "Staff": "Who is of the staff, for admins.",
            "Tenants": "Every customer's instance, for staff.",
            "Backups": "What is kept of a tenant and what was brought back, for staff; asked for by admins.",
            "Overview": "How the platform stands, for staff.",
            "Billing": "What a tenant pays, for staff; and where the payment provider tells of changes.",
            "Contracts": "What is offered to companies, and what was agreed on, for staff; decided by admins.",
            "Figures": "How the business goes, for staff.",
            "Leads": "How promising each trial is, why, and who looks after it, for staff.",
            "Status": "How the service is, for everybody; announced by staff.",
            "Webhooks": "Other programs that are told what happens to tenants, for admins.",
            "Health": "For kubelet and balancers.",
        },
        documents=[json_document(), yaml_document()],
    )
