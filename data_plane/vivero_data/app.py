"""Composition root: creates each service once, wires them to controllers and pages, and starts and stops them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

import msgspec
import structlog
from litestar import Litestar, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.plugins.prometheus import PrometheusConfig
from vivero_core.tracing.spans import Tracer
from vivero_web.bodies import FORM_BYTES
from vivero_web.clock import now
from vivero_web.current_request import Proxies
from vivero_web.declared import raises
from vivero_web.errors import CrossSiteError, UnsupportedMediaTypeError, WebError, explained
from vivero_web.lazy_routes import LazyApp
from vivero_web.limiter import Limiter
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.problem import Answers
from vivero_web.rate_limit import RateLimit, RouteLimits
from vivero_web.request_context import RequestContext
from vivero_web.request_spans import RequestSpans, exemplar
from vivero_web.sealed import SealedSecrets
from vivero_web.security import HSTS_HOST, JSON, MULTIPART, require_media_type
from vivero_web.security_txt import security_txt_routes
from vivero_web.webhook_sender import WebhookSender

from vivero_data import __version__
from vivero_data.clients.cache import Cache
from vivero_data.clients.mail import Mailer
from vivero_data.clients.storage import Storage
from vivero_data.db.database import Database
from vivero_data.db.schema import SchemaReady, ensure_current, require_current
from vivero_data.domain.api_keys.controllers import ApiKeyController
from vivero_data.domain.api_keys.service import ApiKeyService, key_tokens
from vivero_data.domain.audit.anchors import Anchors
from vivero_data.domain.audit.controllers import AuditController
from vivero_data.domain.audit.sealing import Sealer
from vivero_data.domain.audit.service import AuditService
from vivero_data.domain.auth.controllers import AuthController
from vivero_data.domain.auth.guards import (
    BEARER_OR_COOKIE,
    AnyRequest,
    actor_of,
    provide_actor,
    refuse_cross_site,
    send_renewed_cookies,
    signed_in,
)
from vivero_data.domain.auth.service import AuthService
from vivero_data.domain.auth.sessions import CachedSessions, StoredSessions
from vivero_data.domain.collections.controllers import CollectionController
from vivero_data.domain.collections.fields import FieldService
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.comments.controllers import CommentController
from vivero_data.domain.comments.service import CommentService
from vivero_data.domain.dashboards.controllers import DashboardController
from vivero_data.domain.dashboards.service import DashboardService
from vivero_data.domain.email_changes.controllers import EmailChangeController, EmailConfirmationController
from vivero_data.domain.email_changes.service import EmailChangeService
from vivero_data.domain.exports.controllers import ExportController
from vivero_data.domain.exports.service import ExportService
from vivero_data.domain.favourites.controllers import FavouriteController, FavouriteViewController
from vivero_data.domain.favourites.service import FavouriteService
from vivero_data.domain.files.controllers import FileController
from vivero_data.domain.files.service import FileService
from vivero_data.domain.files.uploads import OTHER_PARTS_BYTES
from vivero_data.domain.health.controllers import HealthController, ProofController
from vivero_data.domain.health.service import HealthService
from vivero_data.domain.idempotency.service import HEADER as IDEMPOTENCY_KEY
from vivero_data.domain.idempotency.service import (
    AnswerLostError,
    IdempotencyService,
    RepeatedKeyError,
    UnderWayError,
    note_answer,
)
from vivero_data.domain.identity.service import IdentityService, configured
from vivero_data.domain.imports.controllers import ImportController, ImportUploadController
from vivero_data.domain.imports.service import ImportService
from vivero_data.domain.invitations.controllers import InvitationController
from vivero_data.domain.invitations.service import InvitationService
from vivero_data.domain.jobs.controllers import JobController
from vivero_data.domain.jobs.runner import JobRunner
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.limits.plan_page import PlanPage
from vivero_data.domain.limits.requests import charge_by
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.notation.controllers import PersonNotationController, SettingsController
from vivero_data.domain.notation.person import PersonNotationService
from vivero_data.domain.notation.service import NotationService
from vivero_data.domain.owner.guards import is_operator
from vivero_data.domain.records.batches import BatchService
from vivero_data.domain.records.controllers import RecordController
from vivero_data.domain.records.file_controllers import RecordFileController
from vivero_data.domain.records.files import RecordFileService
from vivero_data.domain.records.finder import RecordFinder
from vivero_data.domain.records.link_controllers import LinkController
from vivero_data.domain.records.linking import ReferenceService
from vivero_data.domain.records.selections import BulkService
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.recovery.controllers import RecoveryController
from vivero_data.domain.recovery.service import RecoveryService
from vivero_data.domain.report_mails.controllers import ReportScheduleController
from vivero_data.domain.report_mails.delivery import ReportMailDelivery
from vivero_data.domain.report_mails.service import ReportMailService
from vivero_data.domain.reports.controllers import ReportController
from vivero_data.domain.reports.results import Results
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.roles.controllers import RoleController
from vivero_data.domain.roles.service import RoleService
from vivero_data.domain.samples.service import SampleService
from vivero_data.domain.second_factors.controllers import (
    LoginRulesController,
    OthersSecondFactorController,
    SecondFactorController,
)
from vivero_data.domain.second_factors.service import SecondFactorService
from vivero_data.domain.sessions.controllers import SessionController
from vivero_data.domain.sessions.service import SessionService
from vivero_data.domain.support.controllers import SupportGrantController
from vivero_data.domain.support.service import SupportService
from vivero_data.domain.tickets.service import TicketService
from vivero_data.domain.trash.controllers import TrashController
from vivero_data.domain.trash.service import TrashService
from vivero_data.domain.usage.controllers import LimitsController, PlatformUsageController, UsageController
from vivero_data.domain.usage.service import UsageService
from vivero_data.domain.usage.telling import tell_owners
from vivero_data.domain.users.controllers import MeController, UserController
from vivero_data.domain.users.service import UserService
from vivero_data.domain.views.controllers import IndexController, ViewController
from vivero_data.domain.views.service import ViewService
from vivero_data.domain.webhooks.controllers import WebhookController
from vivero_data.domain.webhooks.delivery import WebhookDelivery
from vivero_data.domain.webhooks.service import WebhookService
from vivero_data.domain.workspace.controllers import WorkspaceController
from vivero_data.domain.workspace.service import WorkspaceService
from vivero_data.domain.workspace_exports.controllers import WorkspaceExportController
from vivero_data.domain.workspace_exports.service import WorkspaceExportService
from vivero_data.housekeeping import Housekeeping
from vivero_data.lib.json import JsonRequest, JsonResponse
from vivero_data.lib.tokens import AccessTokens
from vivero_data.openapi import described
from vivero_data.read_only import ReadOnly
from vivero_data.settings import Settings
from vivero_data.telemetry import tracer_of
from vivero_data.warming import warm_spare
from vivero_data.web.render import render_error
from vivero_data.web.routes import route_handlers as page_routes

_DATABASE_TIMEOUT: Final = 300.0  # seconds to connect: a tenant's database user may be created after its pod

log = structlog.get_logger(__name__)


class Services(msgspec.Struct, frozen=True):
    """Process-wide singletons; the field names are the names of the injected dependencies."""

    settings: Settings
    tracer: Tracer
    database: Database
    cache: Cache
    storage: Storage
    limiter: Limiter
    passwords: Passwords
    schema_ready: SchemaReady
    limits: LimitService
    identity: IdentityService
    auth: AuthService
    own_sessions: SessionService
    second_factors: SecondFactorService
    email_changes: EmailChangeService
    webhooks: WebhookService
    idempotency: IdempotencyService
    api_keys: ApiKeyService
    tickets: TicketService
    support: SupportService
    users: UserService
    mailer: Mailer
    links: LinkService
    recovery: RecoveryService
    invitations: InvitationService
    collections: CollectionService
    fields: FieldService
    trash: TrashService
    records: RecordService
    record_batches: BatchService
    bulk: BulkService
    comments: CommentService
    views: ViewService
    record_finder: RecordFinder
    favourites: FavouriteService
    roles: RoleService
    files: FileService
    record_files: RecordFileService
    jobs: JobService
    reports: ReportService
    report_mails: ReportMailService
    dashboards: DashboardService
    samples: SampleService
    imports: ImportService
    exports: ExportService
    workspace_exports: WorkspaceExportService
    audit: AuditService
    anchors: Anchors
    sealer: Sealer
    plan_page: PlanPage
    usage: UsageService
    workspace: WorkspaceService
    notation: NotationService
    person_notation: PersonNotationService
    references: ReferenceService
    health: HealthService


def build(settings: Settings) -> Services:
    """Create the services; nothing connects yet.

    Raises:
        SettingsError: a mounted file cannot be used.
    """
    tls, tracer = settings.tls(), tracer_of(settings)
    database = Database(settings.database, tls, settings.env.database_pool)
    cache, storage = Cache(settings.cache, tls), Storage(settings.storage, tls)
    limits, passwords, ready = LimitService(settings.limits_file), Passwords(), SchemaReady()
    identity, notation = IdentityService(database, configured(settings.env)), NotationService(database)
    limiter = Limiter(cache.counts)
    logins, mailer = Logins(limiter), Mailer(settings.mail_folder, settings.ca_file)
    links = LinkService(database, identity, mailer)
    tokens, stored = AccessTokens(settings.app.signing_key, settings.env.tenant_id), StoredSessions(database)
    sessions = CachedSessions(database, cache.sessions) if settings.env.as_of else stored
    second_factors = SecondFactorService(
        database,
        passwords,
        logins,
        limiter,
        identity,
        settings.app.file_key,
        cache.sessions if settings.env.as_of else None,
    )
    auth = AuthService(database, passwords, logins, tokens, sessions, second_factors)
    files = FileService(database, storage, limits, settings.app.file_key, settings.env.max_file_bytes)
    jobs = JobService(database)
    fields = FieldService(database, jobs, notation)
    collections, batches = CollectionService(database, limits), BatchService(database, limits)
    records = RecordService(database, limits)
    reports = ReportService(database, Results(database, notation, cache.reports), limits)
    dashboards = DashboardService(database, limits)
    anchors = Anchors(storage, settings.env.tenant_id)
    sealer = Sealer(database, anchors)
    tickets = TicketService(tracer, database, auth, stored, logins, settings.ticket_key_file, settings.env.tenant_id)
    return Services(
        settings=settings,
        tracer=tracer,
        database=database,
        cache=cache,
        storage=storage,
        limiter=limiter,
        passwords=passwords,
        schema_ready=ready,
        limits=limits,
        identity=identity,
        auth=auth,
        own_sessions=SessionService(database),
        second_factors=second_factors,
        idempotency=IdempotencyService(database, SealedSecrets(settings.app.file_key, "vivero-data", "answers")),
        email_changes=EmailChangeService(database, passwords, logins, links, mailer, limiter),
        webhooks=WebhookService(database, SealedSecrets(settings.app.file_key, "vivero-data", "webhooks")),
        api_keys=ApiKeyService(database, key_tokens(settings.app.signing_key)),
        tickets=tickets,
        support=SupportService(database, tokens, tickets, settings.env.tenant_id),
        users=UserService(database, limits, passwords, logins, identity),
        mailer=mailer,
        links=links,
        recovery=RecoveryService(database, passwords, logins, identity, links, mailer, limiter),
        invitations=InvitationService(database, limits, links, mailer, limiter),
        collections=collections,
        fields=fields,
        trash=TrashService(database, limits, fields),
        records=records,
        record_batches=batches,
        bulk=BulkService(database, limits, jobs),
        comments=CommentService(database),
        views=ViewService(database),
        record_finder=RecordFinder(database),
        favourites=FavouriteService(database),
        roles=RoleService(database),
        dashboards=dashboards,
        reports=reports,
        report_mails=ReportMailService(database, limits, links, identity, settings.app.signing_key),
        samples=SampleService(database, collections, batches, reports, dashboards),
        files=files,
        record_files=RecordFileService(database, records, files),
        jobs=jobs,
        imports=ImportService(database, files, jobs),
        exports=ExportService(database, logs=settings.env.as_of is None),
        workspace_exports=WorkspaceExportService(database, files, jobs, logs=settings.env.as_of is None),
        audit=AuditService(database),
        anchors=anchors,
        sealer=sealer,
        plan_page=PlanPage(limits, settings.app.signing_key, settings.env.tenant_id),
        usage=UsageService(database, limits, settings.env.max_file_bytes),
        workspace=WorkspaceService(database, identity),
        notation=notation,
        person_notation=PersonNotationService(database),
        references=ReferenceService(database),
        health=HealthService(database, cache, storage, identity, ready, sealer),
    )


def create_app(settings: Settings) -> Litestar:
    """The whole application."""
    app = create_routes(settings)
    serve(app, settings)
    return app


def create_routes(settings: Settings) -> Litestar:
    """An application with every route that serves no workspace yet.

    Of the settings only the size of an upload and the contact for security are in the routes.
    """
    answers, upload_bytes = Answers(render_error), settings.env.max_file_bytes + OTHER_PARTS_BYTES
    metrics = PrometheusConfig(app_name="data-plane", prefix="vivero", group_path=True, exemplars=exemplar)
    state = State({"services": None})  # Litestar takes another for an empty one
    return LazyApp(
        route_handlers=[
            _api(upload_bytes),
            _internal(),
            HealthController,
            *security_txt_routes(settings.env.security_contact, now),
            *page_routes(upload_bytes),
        ],
        dependencies=_dependencies(state),
        middleware=[metrics.middleware],
        before_request=refuse_cross_site,
        before_send=[send_renewed_cookies, note_answer],
        exception_handlers={Exception: answers.to},
        lifespan=[_lifespan],
        request_class=JsonRequest,
        request_max_body_size=FORM_BYTES,
        openapi_config=described(),
        state=state,
        logging_config=None,
    )


def serve(app: Litestar, settings: Settings) -> None:
    """Give the routes the services of this workspace, and put the limits of requests around them."""
    services, answers = build(settings), Answers(render_error)
    app.state.settings, app.state.services = settings, services
    if settings.env.as_of is not None:
        app.asgi_handler = ReadOnly(app.asgi_handler, answers, settings.env.as_of)
    counted = RouteLimits(services.limiter).around(app.asgi_handler)
    limited = RateLimit(
        counted, services.limiter, answers, charge_by(services.limits, services.auth.is_ours, services.api_keys.is_ours)
    )
    spans = RequestSpans(services.tracer, partial(is_operator, settings.app.operator_token))
    app.asgi_handler = RequestContext(limited, Proxies(settings.env.proxy_hops), hsts=HSTS_HOST, spans=spans)


def _check_request(media_type: str) -> Callable[[AnyRequest], Awaitable[None]]:
    """A before_request hook for part of the API. Litestar runs only the closest hook, so it repeats the CSRF check."""

    @raises(CrossSiteError, UnsupportedMediaTypeError, on_writes=True)
    async def check(request: AnyRequest) -> None:
        await refuse_cross_site(request)
        require_media_type(request, media_type)

    return check


@raises(CrossSiteError, UnsupportedMediaTypeError, RepeatedKeyError, UnderWayError, AnswerLostError, on_writes=True)
async def _check_json(request: AnyRequest) -> Response[bytes] | None:
    """As `_check_request`; a POST that came before with the same Idempotency-Key gets the answer of then."""
    await refuse_cross_site(request)
    require_media_type(request, JSON)
    actor = actor_of(request)
    if request.method != "POST" or actor is None or IDEMPOTENCY_KEY not in request.headers:
        return None
    idempotency: IdempotencyService = request.app.state.services.idempotency
    return await idempotency.begin(request, actor.user_id)


def _api(upload_bytes: int) -> Router:
    upload = Router(
        "/",
        route_handlers=[FileController, RecordFileController, ImportUploadController],
        before_request=_check_request(MULTIPART),
        request_max_body_size=upload_bytes,
    )
    controllers = [
        MeController,
        UserController,
        InvitationController,
        RoleController,
        CollectionController,
        FavouriteController,
        FavouriteViewController,
        RecordController,
        CommentController,
        ImportController,
        ExportController,
        ViewController,
        IndexController,
    ]
    members = Router(
        "/",
        route_handlers=[
            *controllers,
            JobController,
            ReportController,
            ReportScheduleController,
            DashboardController,
            TrashController,
            AuditController,
            UsageController,
            LimitsController,
            ApiKeyController,
            SettingsController,
            PersonNotationController,
            LinkController,
            SessionController,
            EmailChangeController,
            SecondFactorController,
            LoginRulesController,
            WebhookController,
            WorkspaceExportController,
            OthersSecondFactorController,
            upload,
        ],
        guards=[signed_in],
        security=BEARER_OR_COOKIE,
    )
    return Router(
        "/api/v1",
        route_handlers=[AuthController, RecoveryController, EmailConfirmationController, members],
        before_request=_check_json,
        response_class=JsonResponse,
    )


def _internal() -> Router:
    return Router(
        "/internal/v1",
        route_handlers=[WorkspaceController, ProofController, PlatformUsageController, SupportGrantController],
        before_request=_check_request(JSON),
        include_in_schema=False,
    )


def _dependencies(state: State) -> Mapping[str, Provide]:
    """Each service by its name, as the state has them at the request."""

    def current(name: str) -> Callable[[], Any]:
        return lambda: getattr(state.services, name)

    inner = {"tracer", "limiter", "passwords", "schema_ready", "mailer", "anchors", "sealer"}
    names = [name for name in Services.__struct_fields__ if name not in inner]
    made = {name: Provide(current(name), sync_to_thread=False) for name in names}
    return {**made, "actor": Provide(provide_actor)}


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    services: Services = app.state.services
    prepared = asyncio.create_task(_prepare(services))
    try:
        yield
    finally:
        prepared.cancel()
        with suppress(asyncio.CancelledError):
            await prepared
        await services.mailer.close()
        await services.database.close()
        await services.cache.close()
        services.storage.close()
        services.passwords.close()
        await asyncio.to_thread(services.tracer.close)


async def _prepare(services: Services) -> None:
    """Connect and migrate in the background while the server runs: liveness must not depend on the database."""
    try:
        await services.database.open(_DATABASE_TIMEOUT)
        revision = await _schema_revision(services)
    except WebError as error:
        log.critical("cannot_start", problem=explained(error))
        _terminate()
        return
    except Exception:
        log.exception("cannot_start")
        _terminate()
        return
    services.schema_ready.set_to(revision)
    log.info("ready", version=__version__)
    if services.settings.env.as_of is None:
        await _run_background(services)


async def _schema_revision(services: Services) -> str:
    """Once the schema can be used: of one that may only be read as it is, of any other after its migration."""
    if services.settings.env.as_of is not None:
        return await require_current(services.database)
    revision = await ensure_current(services.database, holds_data=services.limits.current.holds_data)
    await services.audit.open()
    return revision


def housekeeping_of(services: Services) -> Housekeeping:
    tell = partial(tell_owners, services.database, services.limits, services.jobs.wakeup)
    return Housekeeping(services.database, services.storage, services.files, services.audit, services.trash, tell=tell)


async def _run_background(services: Services) -> None:
    housekeeping = housekeeping_of(services)
    async with asyncio.TaskGroup() as group:  # waits for all: a child process must not outlive the connection pool
        group.create_task(JobRunner(services.database, services.jobs.wakeup).run())
        group.create_task(_webhook_delivery(services).run())
        group.create_task(services.sealer.run())
        group.create_task(ReportMailDelivery(services.database, services.jobs.wakeup).run())
        group.create_task(_run_background_tasks(services.identity, housekeeping))


def _webhook_delivery(services: Services) -> WebhookDelivery:
    webhooks = services.webhooks
    return WebhookDelivery(services.database, WebhookSender(), webhooks.sealed, services.links, webhooks.wakeup)


async def _run_background_tasks(identity: IdentityService, housekeeping: Housekeeping) -> None:
    try:
        await warm_spare(identity)
    except Exception:
        log.exception("warm_up_failed")
    await housekeeping.run()


def _terminate() -> None:
    """Shut down gracefully; the kubelet restarts the container."""
    os.kill(os.getpid(), signal.SIGTERM)
