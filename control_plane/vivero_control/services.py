"""The services of the control plane in one place: what controllers and pages call.

A controller or page asks for one by its parameter's name; app.py registers each
field of `Services` as a dependency, so a handler just says

    @get("/signup/{signup_id:str}")
    async def progress(signups: SignupService, signup_id: str) -> Template: ...

Every method is one unit of work with its own transaction, raises the errors of
`vivero_web.errors` (status, title, detail, errors by field), and returns
the frozen structs of its domain's `schemas.py`.

| parameter | for | the calls |
| --- | --- | --- |
| `signups: SignupService` | signup page, progress page | `start(StartSignup, idempotency_key=…) -> SignupView`; `get(id, bearer) -> SignupView`; `await follow(id, bearer) -> AsyncIterator[SignupView | None]` (None: heartbeat). The event stream itself is the API's: `/api/v1/signups/{id}/events` (events `step` and last `done`; data: the SignupView as JSON) |
| `work: Work` | the signup's form | `require(proof, address)`; `challenge() -> Challenge` |
| `confirmations: Confirmations` | pages behind the link of a signup's mail | `confirm(code) -> ConfirmedView`; `ask(slug, address)` |
| `plans: PlanService` | pricing, plan choice | `all() -> tuple[PlanView, ...]`, cheapest first; `find(name) -> PlanView` |
| `staff: StaffService` | login page | `login(Login, caller_of(request.scope)) -> StaffView` (`caller_of` of `vivero_web.request_context`), or after its CodeNeededError `finish(challenge, code)`; then `sessions.open(staff) -> Cookie` |
| `second_factors: StaffSecondFactors` | two-step login of who is logged in | `get(actor)`, `begin/renew_codes/end(actor, password, address)`, `pending(actor)`, `confirm(actor, code)` |
| `api_keys: StaffApiKeys` | keys for programs of who is logged in | `all(member) -> StaffApiKeyList`, `get(number, member)`, `make/change/rotate/revoke(…, member)`; `holder(token) -> StaffView or None` |
| `resets: StaffResets` | forgotten password | `ask(email, address)`; `choose(ChosenPassword, address)` |
| `members: StaffMembers` | people page, for admins | `all()`, `get(id) -> Member`; `invite/invite_again/withdraw/change/reset_second_factor(actor, …)`; `domain/staff/guards.session_admin` is the dependency |
| `sessions: StaffSessions` | pages behind the login | `open(staff) -> Cookie`, `read(value) -> StaffView or None`, `close(value) -> Cookie`; `domain/staff/guards.session_staff` is a ready dependency |
| `settings: Settings` | addresses | `domain`, `tenant_url(slug)` |
| `tenants: TenantService` | tenants page | `search(TenantQuery) -> Page[TenantRow]`, `get(name) -> TenantDetail`, `subjects(name)` for its history, `suspend/resume/extend_trial/change_plan(name, action, actor) -> TenantDetail` |
| `bulk: BulkOrders` | orders for several tenants | `give(BulkOrder, actor) -> BulkResult`, also as a preview |
| `bulk_runs: BulkRuns` | orders for all tenants that match | `preview(matching, order) -> BulkResult`, `give(NewRun, actor) -> RunView`, `get(number) -> RunView` |
| `tenant_views: TenantViews` | saved views of the tenants' list | `all(member) -> ViewList`, `get(number, member) -> TenantView`, `make/change/delete(…, member)`, `choose(number, member)` |
| `deleted: DeletedTenants` | deleted tenants that can be brought back | `all() -> tuple[DeletedTenant, ...]`, `undelete(id, Undelete, actor) -> DeletedTenant` |
| `platform: PlatformBackups` | the platform's own backup | `get() -> PlatformBackupView`, `back_up(BackUp, actor)` |
| `billing: BillingService` | the plan of a workspace | `is_on`, `offers()`; `checkout(tenant, plan, interval, return_url)` and `portal(tenant, return_url)`, each the address to go to; `of_tenant(uid) -> BillingView`; `refresh(uid)` |
| `plan_changes: PlanChanges` | the same, once a plan is bought | `preview(tenant, plan, interval) -> Preview`, `change(tenant, plan, interval, at, cents)`; `keep`, `cancel` and `resume`, each with who does it |
| `plan_pauses: PlanPauses` | the same | `pause(tenant, months, starts_at, by)`, `take_back(tenant, by)`; `preview_restart(tenant) -> Restart`, `restart(tenant, at, cents, by)` |
| `tax_ids: TaxIds` | tax ids on the account page | `all(tenant)`, `add(tenant, kind, value, by)`, `remove(tenant, id, by)` |
| `quotes: QuoteService` | quotes, for staff and for who has the link | `all()`, `get(number)`, `make/change/send/withdraw(…, actor)`; `opened(code)`, `accept(code, said)`, `decline(code, reason)`, each a QuoteView |
| `contracts: ContractService` | contracts | `all()`, `get(number)`, `of_tenant(uid)`, `attach(number, to, actor)` |
| `invoices: InvoiceService` | invoices of contracts | `all(state)`, `get(number)`, `of_contract(number)`, `of_tenant(uid)`, `document(number)`; `pay/take_payment_out/take_back(number, …, actor)` |
| `managed: ManagedWorkspaces` | pages for who manages a workspace | `visit(holder) -> Visit`, `of(email) -> list[Tenant]` |
| `workspace_people: WorkspacePeople` | the same | `all(visit) -> tuple[Manager, ...]`, `name(visit, email)`, `remove(visit, email)` |
| `workspace_backups: WorkspaceBackups` | the same | `overview(visit) -> Overview`, `recovery`, `restorable`; `back_up(visit, key)`, `look(visit, past, key)`, `go_back(visit, past, key)` |
| `workspace_usage: WorkspaceUsage` | the same | `read(tenant) -> Usage or None` |
| `workspace_deletion: WorkspaceDeletion` | the same | `delete(visit, typed)`, `deleted(email)`, `bring_back(email, id)` |
| `support_access: SupportAccess` | access of staff to a workspace | `current(tenant_id) -> Grant or None`, `grant(visit, hours, role)`, `end(visit)`; `enter(name, reason, member)`, the address to go to |
| `personal_data: PersonalDataService` | the same | `of(email) -> PersonalData` |
| `accounts: AccountSessions` | the same | `open(secret) -> Cookie`, `read(value) -> Holder or None`, `close(value) -> Cookie` |
| `account_tickets: AccountTickets` | the same | `open(ticket) -> Cookie` |
| `account_links: AccountLinks` | the same | `ask(slug, address)`, `ask_by_email(email, address)` |
| `dead_letters: DeadLetterService` | jobs that were given up | `newest() -> DeadLetterList`, `replay(id, actor)` |
| `hosts: HostService` | page at a workspace's host | `status(host) -> HostStatus` |
| `workspace_finder: WorkspaceFinder` | public login page | `ask(email, address)` |
| `status: StatusService` | status page | `view() -> StatusView`, which never fails; `incident(number)`, `announce(NewIncident, actor)`, `say(number, NewUpdate, actor)`, each an IncidentView |
| `overview: OverviewService` | the console's first page, the API | `now() -> PlatformOverview` |
| `audit_search: AuditSearch` | the audit log's page, its file, the API | `page(query, cursor, limit)`, `actions()`, `file(query, member)` |
| `timeline: TimelineService` | a tenant's timeline | `page(name, kind, cursor, limit) -> TimelinePage` |
| `monitoring: MonitoringService` | the console's page Operations | `is_on`, `tenants()`; `view(dashboard, span, tenant) -> DashboardView`, whose panels say by themselves that there is no answer |
| `figures: FigureService` | figures of the business | `view() -> FiguresView`, `rows(tile, week) -> FigureRows` |
| `acquisition: Acquisition` | what a customer costs by channel | `view() -> AcquisitionView`, `signups(month, channel) -> FigureRows`; `preview(costs)`, `put(costs, actor)`, each with what changes |
| `margins: Margins` | what a tenant costs and brings | `of(name) -> Margin` |
| `leads: LeadService` | leads | `page(LeadQuery) -> Page[LeadRow]`, `get(id) -> LeadDetail`, `calibration()`, `members()`, `assign(id, staff_id, actor)` |
| `webhooks: WebhookService` | webhooks, for admins | `all()`, `get(number)`, `make(new, actor)`, `change(number, changes, actor)`, `rotate/delete(number, actor)`, `attempts(number, cursor, limit) -> AttemptPage`, `resend(number, message, actor)` |
| `visits: VisitCounter` | landing page | `count(lead)` |
| `audit: AuditService` | history on the tenant's page | `history(*subjects) -> tuple[AuditEntry, ...]` |

`Pages` is the other direction: what the web layer gives the application. Without it everything is answered as
problem+json.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.di import Provide
from litestar.template import TemplateConfig
from litestar.types import ControllerRouterHandler
from vivero_web.problem import ErrorPage

from vivero_control.domain.accounts.backups import WorkspaceBackups
from vivero_control.domain.accounts.deletion import WorkspaceDeletion
from vivero_control.domain.accounts.links import AccountLinks
from vivero_control.domain.accounts.people import WorkspacePeople
from vivero_control.domain.accounts.personal_data import PersonalDataService
from vivero_control.domain.accounts.service import ManagedWorkspaces
from vivero_control.domain.accounts.sessions import AccountSessions
from vivero_control.domain.accounts.tickets import AccountTickets
from vivero_control.domain.accounts.usage import WorkspaceUsage
from vivero_control.domain.acquisition.service import Acquisition
from vivero_control.domain.api_keys.service import StaffApiKeys
from vivero_control.domain.audit.search import AuditSearch
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.backups.service import BackupService
from vivero_control.domain.billing.changes import PlanChanges
from vivero_control.domain.billing.pauses import PlanPauses
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.billing.tax_ids import TaxIds
from vivero_control.domain.bulk_runs.service import BulkRuns
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.dead_letters.service import DeadLetterService
from vivero_control.domain.deleted.service import DeletedTenants
from vivero_control.domain.figures.counting import VisitCounter
from vivero_control.domain.figures.service import FigureService
from vivero_control.domain.invoices.service import InvoiceService
from vivero_control.domain.leads.service import LeadService
from vivero_control.domain.margins.service import Margins
from vivero_control.domain.monitoring.service import MonitoringService
from vivero_control.domain.overview.service import OverviewService
from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.platform.service import PlatformBackups
from vivero_control.domain.signups.confirmations import Confirmations
from vivero_control.domain.signups.service import SignupService
from vivero_control.domain.signups.work import Work
from vivero_control.domain.staff.members import StaffMembers
from vivero_control.domain.staff.resets import StaffResets
from vivero_control.domain.staff.second_factors import StaffSecondFactors
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.sessions import StaffSessions
from vivero_control.domain.staff.tokens import StaffTokens
from vivero_control.domain.status.service import StatusService
from vivero_control.domain.support.service import SupportAccess
from vivero_control.domain.tenant_views.service import TenantViews
from vivero_control.domain.tenants.bulk import BulkOrders
from vivero_control.domain.tenants.finder import WorkspaceFinder
from vivero_control.domain.tenants.hosts import HostService
from vivero_control.domain.tenants.schemas import HostStatus
from vivero_control.domain.tenants.service import TenantService
from vivero_control.domain.timeline.service import TimelineService
from vivero_control.domain.webhooks.service import WebhookService
from vivero_control.lib.health import Health
from vivero_control.lib.idempotency import Idempotency
from vivero_control.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One of each for the whole process."""

    signups: SignupService
    work: Work
    confirmations: Confirmations
    plans: PlanService
    tenants: TenantService
    bulk: BulkOrders
    bulk_runs: BulkRuns
    api_keys: StaffApiKeys
    tenant_views: TenantViews
    backups: BackupService
    deleted: DeletedTenants
    platform: PlatformBackups
    billing: BillingService
    plan_changes: PlanChanges
    plan_pauses: PlanPauses
    tax_ids: TaxIds
    quotes: QuoteService
    contracts: ContractService
    invoices: InvoiceService
    managed: ManagedWorkspaces
    workspace_people: WorkspacePeople
    workspace_backups: WorkspaceBackups
    workspace_usage: WorkspaceUsage
    personal_data: PersonalDataService
    workspace_deletion: WorkspaceDeletion
    support_access: SupportAccess
    accounts: AccountSessions
    account_tickets: AccountTickets
    account_links: AccountLinks
    dead_letters: DeadLetterService
    hosts: HostService
    workspace_finder: WorkspaceFinder
    staff: StaffService
    second_factors: StaffSecondFactors
    resets: StaffResets
    members: StaffMembers
    sessions: StaffSessions
    tokens: StaffTokens
    audit: AuditService
    status: StatusService
    audit_search: AuditSearch
    timeline: TimelineService
    figures: FigureService
    acquisition: Acquisition
    margins: Margins
    leads: LeadService
    visits: VisitCounter
    monitoring: MonitoringService
    overview: OverviewService
    webhooks: WebhookService
    health: Health
    settings: Settings
    idempotency: Idempotency

    def dependencies(self) -> dict[str, Provide]:
        """Each field under its own name."""
        return {name: provide(getattr(self, name)) for name in self.__slots__}


def provide(service: object) -> Provide:
    return Provide(lambda: service, sync_to_thread=False, use_cache=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The web layer."""

    route_handlers: Sequence[ControllerRouterHandler] = ()
    error_page: ErrorPage | None = None
    """Says a problem in words; for a 401 it may redirect to the login."""
    host_page: Callable[[HostStatus, bool], Response[Any]] | None = None
    """A browser's request for a workspace that does not answer itself: 503 suspended or down, 404 unknown. The second
    argument: whether the request wanted to change something, as a form does."""
    host_error: ErrorPage | None = None
    """As `error_page`, at such a host."""
    template_config: TemplateConfig[Any] | None = None
