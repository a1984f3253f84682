"""Builds every object of the process from the settings, and opens and closes what needs it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from litestar.stores.valkey import ValkeyStore
from valkey.asyncio import Valkey
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore
from vivero_core.tracing.spans import Tracer
from vivero_web.challenges import Challenges
from vivero_web.clock import Clock
from vivero_web.counts import SharedCounts
from vivero_web.limiter import Limiter
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.sealed import SealedSecrets
from vivero_web.tokens import derive_key
from vivero_web.webhook_sender import WebhookSender

from vivero_control.db.database import Database
from vivero_control.domain.accounts import jobs as account_jobs
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
from vivero_control.domain.backups.repository import OperationDirectory, OperationRepository
from vivero_control.domain.backups.service import BackupDeps, BackupService
from vivero_control.domain.billing import jobs as billing_jobs
from vivero_control.domain.billing.changes import PlanChanges
from vivero_control.domain.billing.held import HeldSubscriptions
from vivero_control.domain.billing.pauses import PlanPauses
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.billing.stripe import Stripe
from vivero_control.domain.billing.synchronisation import Synchroniser
from vivero_control.domain.billing.tax_ids import TaxIds
from vivero_control.domain.bulk_runs import jobs as bulk_run_jobs
from vivero_control.domain.bulk_runs.service import BulkRuns
from vivero_control.domain.contracts import jobs as contract_jobs
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.contracts.entitlements import Entitlements
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.dead_letters.service import DeadLetterService
from vivero_control.domain.deleted.service import DeletedTenants
from vivero_control.domain.figures.counting import VisitCounter
from vivero_control.domain.figures.service import FigureService
from vivero_control.domain.invoices import jobs as invoice_jobs
from vivero_control.domain.invoices.service import InvoiceService
from vivero_control.domain.leads.service import LeadService
from vivero_control.domain.margins.service import Margins
from vivero_control.domain.monitoring.prometheus import Prometheus
from vivero_control.domain.monitoring.service import MonitoringService
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.mails import MailSender
from vivero_control.domain.overview.service import OverviewService, PoolInformer, ServerInformer
from vivero_control.domain.plans.service import PlanInformer, PlanService
from vivero_control.domain.platform.service import PlatformBackups
from vivero_control.domain.probes.service import SignupProbe
from vivero_control.domain.probes.web import Web
from vivero_control.domain.signups import confirmation_jobs, provisioning
from vivero_control.domain.signups import links as signup_links
from vivero_control.domain.signups.access import BearerTokens, LoginTickets
from vivero_control.domain.signups.confirmation_jobs import JoinCodes, People
from vivero_control.domain.signups.confirmations import Confirmations
from vivero_control.domain.signups.provisioning import Provisioner, ProvisioningJob
from vivero_control.domain.signups.reachability import Ingress, Reachability, trust
from vivero_control.domain.signups.service import SignupDeps, SignupService
from vivero_control.domain.signups.views import SignupViews, StreamSlots
from vivero_control.domain.signups.work import Work
from vivero_control.domain.staff import jobs as staff_jobs
from vivero_control.domain.staff.codes import StaffCodes
from vivero_control.domain.staff.members import StaffMembers
from vivero_control.domain.staff.resets import StaffResets
from vivero_control.domain.staff.second_factors import StaffSecondFactors
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.sessions import StaffSessions
from vivero_control.domain.staff.tokens import StaffTokens
from vivero_control.domain.status.measuring import Probes
from vivero_control.domain.status.service import StatusService
from vivero_control.domain.support import jobs as support_jobs
from vivero_control.domain.support.service import SupportAccess
from vivero_control.domain.tenant_views.service import TenantViews
from vivero_control.domain.tenants.bulk import BulkOrders
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.finder import WorkspaceFinder
from vivero_control.domain.tenants.hosts import HostService
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.service import TenantService
from vivero_control.domain.timeline.service import TimelineService
from vivero_control.domain.webhooks import events as webhook_events
from vivero_control.domain.webhooks import jobs as webhook_jobs
from vivero_control.domain.webhooks.schemas import ANSWER_MAX
from vivero_control.domain.webhooks.service import WebhookService
from vivero_control.domain.webhooks.watching import TenantEventWatcher
from vivero_control.jobs.kinds import JobKind
from vivero_control.jobs.wakeup import WakeUp
from vivero_control.lib import valkey
from vivero_control.lib.background import run_every, supervise
from vivero_control.lib.health import Health
from vivero_control.lib.idempotency import Idempotency
from vivero_control.lib.telemetry import tracer_of
from vivero_control.services import Services
from vivero_control.settings import Settings

VISITS_SECONDS: Final = 60.0  # between two writes of what was counted
FIELD_MANAGER = "vivero-control-plane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Infrastructure:
    """Clients of database, Valkey, Kubernetes and ingress, and what wraps them; nothing connects before it is used."""

    settings: Settings
    clock: Clock
    tracer: Tracer
    database: Database
    kube: KubeClient
    cache: Valkey
    limiter: Limiter
    wake_up: WakeUp
    passwords: Passwords
    tenants: TenantRepository
    directory: TenantDirectory
    plans: PlanInformer
    backups: OperationDirectory[TenantBackup]
    restores: OperationDirectory[TenantRestore]
    pools: PoolInformer
    servers: ServerInformer
    idempotency: Idempotency
    provisioner: Provisioner
    ingress: Ingress
    reachability: Reachability
    payments: Stripe | None
    prometheus: Prometheus | None
    accounts: AccountSessions
    visits: VisitCounter
    webhooks: WebhookSender

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """For the life of the process."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, self.tracer.close)
            stack.callback(self.passwords.close)
            stack.push_async_callback(self.database.close)
            stack.push_async_callback(self.cache.aclose)
            stack.push_async_callback(self.wake_up.close)
            await stack.enter_async_context(self.kube)
            await stack.enter_async_context(self.ingress)
            for one in (self.payments, self.prometheus):
                if one is not None:
                    await stack.enter_async_context(one)
            stack.callback(self.reachability.close)
            yield

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """The informers run inside."""
        tasks = {
            "tenants": lambda: self.directory.run(self.kube),
            "plans": lambda: self.plans.run(self.kube),
            "backups": lambda: self.backups.run(self.kube),
            "restores": lambda: self.restores.run(self.kube),
            "visits": lambda: run_every(VISITS_SECONDS, "visits", self.visits.write, limit=VISITS_SECONDS),
            "pools": lambda: self.pools.run(self.kube),
            "servers": lambda: self.servers.run(self.kube),
        }
        async with running(tasks):
            yield
        await self.visits.close()


@asynccontextmanager
async def running(tasks: Mapping[str, Callable[[], Awaitable[None]]]) -> AsyncIterator[None]:
    """Background tasks by name for the length of the block, each supervised by itself."""
    async with asyncio.TaskGroup() as group:
        started = [group.create_task(supervise(name, start), name=name) for name, start in tasks.items()]
        yield
        for task in started:
            task.cancel()


def infrastructure(settings: Settings, clock: Clock) -> Infrastructure:
    database = Database(settings)
    kube = KubeClient(
        kube_config.load(settings.kube.kubeconfig), field_manager=FIELD_MANAGER, timeout=settings.kube.timeout
    )
    tenants, directory = TenantRepository(kube, settings.kube.signups_namespace), TenantDirectory()
    session_key = settings.app.session_key.get_secret_value()
    ingress, cache = Ingress(settings), valkey.client(settings)
    return Infrastructure(
        settings=settings,
        clock=clock,
        tracer=tracer_of(settings.telemetry),
        database=database,
        kube=kube,
        cache=cache,
        limiter=Limiter(SharedCounts(cache, f"{settings.cache.prefix}limits:")),
        wake_up=WakeUp(valkey.patient_client(settings), settings.cache.prefix),
        passwords=Passwords(),
        tenants=tenants,
        directory=directory,
        plans=PlanInformer(),
        backups=OperationDirectory(TenantBackup),
        restores=OperationDirectory(TenantRestore),
        pools=PoolInformer(),
        servers=ServerInformer(),
        idempotency=Idempotency(database, derive_key(session_key, "vivero-control/idempotency"), clock),
        provisioner=Provisioner(tenants, directory, clock),
        ingress=ingress,
        reachability=Reachability(ingress.probe, settings.ingress.patience, clock),
        payments=Stripe(settings.billing, trust(settings)) if settings.billing else None,
        prometheus=_prometheus(settings),
        accounts=AccountSessions(cache, settings.cache.prefix, clock),
        visits=VisitCounter(database, clock),
        webhooks=WebhookSender(kept_bytes=ANSWER_MAX),
    )


def _prometheus(settings: Settings) -> Prometheus | None:
    url = settings.monitoring.prometheus_url
    return Prometheus(url, trust(settings)) if url is not None else None


def services(to: Infrastructure) -> Services:
    settings, clock = to.settings, to.clock
    audit = AuditService(to.database, clock)
    plans = PlanService(to.plans)
    logins = Logins(to.limiter)
    session_key = settings.app.session_key.get_secret_value()
    factor_secrets = SealedSecrets(session_key, "vivero-control", "second-factors")
    codes = StaffCodes(to.database, to.limiter, factor_secrets, clock)
    required = settings.staff.second_factor_required
    staff = StaffService(
        database=to.database,
        passwords=to.passwords,
        logins=logins,
        codes=codes,
        challenges=Challenges(derive_key(session_key, "vivero-control/challenges"), "vivero-staff/codes"),
        audit=audit,
        second_factor_required=required,
        clock=clock,
    )
    store = ValkeyStore(to.cache, namespace=settings.cache.prefix.rstrip(":"))
    staff_key = derive_key(session_key, "vivero-control/staff-tokens")
    billing = BillingService(
        database=to.database,
        provider=to.payments,
        synchroniser=synchroniser(to),
        plans=plans,
        wake_worker=to.wake_up.notify,
        clock=clock,
    )
    held = HeldSubscriptions(to.database, to.payments, billing, audit)
    backups = BackupService(_backup_deps(to, audit))
    tenants, usage = tenant_service(to), workspace_usage(to)
    kinds = job_kinds(to)
    dead_letters = DeadLetterService(to.database, kinds, to.wake_up.notify, clock)
    managed = ManagedWorkspaces(
        is_on=to.payments is not None, database=to.database, tenants=to.tenants, directory=to.directory
    )
    audit_search = AuditSearch(to.database, audit)
    deleted = DeletedTenants(to.kube, to.tenants, to.directory, audit, clock)
    return Services(
        signups=SignupService(_signup_deps(to, plans)),
        work=Work(
            derive_key(session_key, "vivero-control/work"),
            to.limiter,
            settings.limits.signups_before_proof,
            clock,
        ),
        confirmations=Confirmations(
            database=to.database,
            limiter=to.limiter,
            people=_people(to),
            joins=JoinCodes(derive_key(session_key, "vivero-control/joins")),
            directory=to.directory,
            tenant_url=settings.tenant_url,
            wake_worker=to.wake_up.notify,
            clock=clock,
        ),
        plans=plans,
        tenants=tenants,
        bulk=BulkOrders(tenants),
        idempotency=to.idempotency,
        bulk_runs=BulkRuns(database=to.database, tenants=tenants, wake_worker=to.wake_up.notify, clock=clock),
        tenant_views=TenantViews(to.database, clock),
        api_keys=StaffApiKeys(to.database, session_key, clock, second_factor_required=required),
        backups=backups,
        workspace_backups=WorkspaceBackups(backups, clock),
        workspace_deletion=WorkspaceDeletion(
            tenants=tenants,
            deleted=deleted,
            billing=billing,
            plans=plans,
            database=to.database,
            tenant_url=settings.tenant_url,
            account_url=settings.account_url,
            wake_worker=to.wake_up.notify,
            clock=clock,
        ),
        workspace_usage=usage,
        margins=Margins(
            tenants=to.tenants,
            usage=usage.read,
            billing=billing,
            contracts=contracts(to),
            costs=settings.costs,
        ),
        support_access=SupportAccess(
            database=to.database,
            tenants=to.tenants,
            tickets=_tickets(settings),
            tenant_url=settings.tenant_url,
            account_url=settings.account_url,
            wake_worker=to.wake_up.notify,
            clock=clock,
        ),
        deleted=deleted,
        platform=PlatformBackups(to.kube, audit, clock),
        billing=billing,
        plan_changes=PlanChanges(held, billing, clock),
        plan_pauses=PlanPauses(held, billing, clock),
        tax_ids=TaxIds(held, billing),
        quotes=QuoteService(
            database=to.database,
            tenants=to.tenants,
            plans=plans,
            company=settings.company,
            wake_worker=to.wake_up.notify,
            clock=clock,
        ),
        contracts=contracts(to),
        invoices=invoices(to),
        managed=managed,
        workspace_people=WorkspacePeople(
            database=to.database,
            limiter=to.limiter,
            tenant_url=settings.tenant_url,
            account_url=settings.account_url,
            wake_worker=to.wake_up.notify,
            clock=clock,
        ),
        accounts=to.accounts,
        account_tickets=AccountTickets(to.directory, to.accounts, clock),
        account_links=AccountLinks(
            is_on=to.payments is not None,
            database=to.database,
            directory=to.directory,
            limiter=to.limiter,
            wake_worker=to.wake_up.notify,
            clock=clock,
        ),
        dead_letters=dead_letters,
        hosts=HostService(to.directory, settings.domain, settings.account_of if settings.billing else None),
        workspace_finder=WorkspaceFinder(
            database=to.database,
            directory=to.directory,
            limiter=to.limiter,
            tenant_url=settings.tenant_url,
            wake_worker=to.wake_up.notify,
            clock=clock,
        ),
        staff=staff,
        second_factors=StaffSecondFactors(
            database=to.database,
            passwords=to.passwords,
            logins=logins,
            limiter=to.limiter,
            secrets=factor_secrets,
            codes=codes,
            wake_worker=to.wake_up.notify,
            host=settings.domain,
            required=required,
            clock=clock,
        ),
        resets=StaffResets(
            database=to.database,
            passwords=to.passwords,
            limiter=to.limiter,
            logins=logins,
            wake_worker=to.wake_up.notify,
            host=settings.domain,
            clock=clock,
        ),
        members=StaffMembers(
            database=to.database,
            limiter=to.limiter,
            wake_worker=to.wake_up.notify,
            host=settings.domain,
            clock=clock,
        ),
        sessions=StaffSessions(store, staff, clock),
        tokens=StaffTokens(to.database, staff_key, clock, second_factor_required=required),
        audit=audit,
        status=StatusService(to.database, clock),
        audit_search=audit_search,
        timeline=TimelineService(to.database, tenants, to.directory, backups, kinds),
        personal_data=PersonalDataService(
            database=to.database, managed=managed, billing=billing, audit_search=audit_search, clock=clock
        ),
        figures=FigureService(to.database, clock),
        acquisition=Acquisition(to.database, clock),
        leads=LeadService(to.database, clock),
        visits=to.visits,
        monitoring=MonitoringService(to.prometheus, to.directory, clock),
        overview=OverviewService(tenants, dead_letters, billing, to.pools, to.servers, clock),
        webhooks=WebhookService(to.database, _webhook_secrets(settings), to.wake_up.notify, clock),
        health=Health(to.database, lambda: to.directory.synced and to.plans.synced),
        settings=settings,
    )


def job_kinds(to: Infrastructure) -> dict[str, JobKind]:
    """Every kind of job: the worker processes each by itself, staff see its dead letters."""
    settings = to.settings
    sender = MailSender(settings.mail.server(), settings.tls())
    links = (to.database, sender, settings.origin, settings.domain, to.clock)
    return {
        provisioning.KIND: provisioning_job(to),
        signup_links.LINK: confirmation_jobs.LinkJob(
            database=to.database,
            tenants=to.tenants,
            sender=sender,
            people=_people(to),
            origin=settings.origin,
            tenant_url=settings.tenant_url,
            clock=to.clock,
        ),
        confirmation_jobs.JOIN: confirmation_jobs.JoinJob(to.database, to.tenants, sender, settings.tenant_url),
        confirmation_jobs.CONFIRMED: confirmation_jobs.ConfirmedJob(to.database, to.tenants, to.clock),
        mails.KIND: sender,
        staff_jobs.RESET: staff_jobs.ResetJob(*links),
        staff_jobs.INVITATION: staff_jobs.InvitationJob(*links),
        contract_jobs.SEND: contract_jobs.SendJob(to.database, sender, settings.origin, to.clock),
        contract_jobs.APPLY: contract_jobs.ApplyJob(entitlements(to)),
        invoice_jobs.DOCUMENT: invoice_jobs.DocumentJob(to.database, to.clock),
        invoice_jobs.MAIL: invoice_jobs.MailJob(to.database, sender),
        bulk_run_jobs.KIND: bulk_run_jobs.BulkOrderJob(to.database, tenant_service(to)),
        support_jobs.END: support_jobs.EndJob(to.tenants, to.ingress.delete, _tickets(settings), to.clock),
        webhook_events.DELIVER: webhook_jobs.DeliveryJob(
            database=to.database,
            sender=to.webhooks,
            secrets=_webhook_secrets(settings),
            page=f"{settings.origin}/staff/webhooks",
            clock=to.clock,
        ),
        **_billing_kinds(to, sender),
    }


def _billing_kinds(to: Infrastructure, sender: MailSender) -> dict[str, JobKind]:
    applies = synchroniser(to)
    if applies is None:
        return {}
    return {
        billing_jobs.APPLY: billing_jobs.ApplyJob(applies),
        account_jobs.LINK: account_jobs.LinkJob(to.tenants, to.accounts, sender, to.settings.origin),
    }


def synchroniser(to: Infrastructure) -> Synchroniser | None:
    """None where nothing is sold online."""
    if to.payments is None:
        return None
    return Synchroniser(
        database=to.database,
        provider=to.payments,
        tenants=to.tenants,
        audit=AuditService(to.database, to.clock),
        tenant_url=to.settings.tenant_url,
        account_of=to.settings.account_of,
        clock=to.clock,
    )


def contracts(to: Infrastructure) -> ContractService:
    return ContractService(to.database, to.tenants, to.wake_up.notify, to.clock)


def invoices(to: Infrastructure) -> InvoiceService:
    return InvoiceService(to.database, to.settings.company, to.wake_up.notify, to.clock)


def entitlements(to: Infrastructure) -> Entitlements:
    return Entitlements(to.database, to.tenants, AuditService(to.database, to.clock), to.clock)


def tenant_service(to: Infrastructure) -> TenantService:
    settings = to.settings
    return TenantService(
        directory=to.directory,
        repository=to.tenants,
        plans=PlanService(to.plans),
        audit=AuditService(to.database, to.clock),
        tenant_url=settings.tenant_url,
        domain=settings.domain,
        clock=to.clock,
    )


def workspace_usage(to: Infrastructure) -> WorkspaceUsage:
    return WorkspaceUsage(to.ingress.ask, _tickets(to.settings), to.clock)


def tenant_events(to: Infrastructure) -> TenantEventWatcher:
    return TenantEventWatcher(to.kube, to.database, to.wake_up.notify, to.clock)


def _webhook_secrets(settings: Settings) -> SealedSecrets:
    return SealedSecrets(settings.app.session_key.get_secret_value(), "vivero-control", "webhooks")


def probes(to: Infrastructure) -> Probes:
    """Of the status page."""
    return Probes(
        database=to.database,
        tenants=to.tenants,
        ingress=to.ingress,
        host=to.settings.domain,
        ask_provider=to.payments.ping if to.payments else None,
    )


def signup_probe(to: Infrastructure) -> SignupProbe | None:
    """None where none is wanted."""
    chosen = to.settings.probe
    if chosen is None:
        return None
    return SignupProbe(
        database=to.database,
        tenants=to.tenants,
        audit=AuditService(to.database, to.clock),
        web=lambda: Web(to.settings),
        every=timedelta(hours=chosen.interval_hours),
        plan=chosen.plan,
        clock=to.clock,
    )


def _people(to: Infrastructure) -> People:
    return People(derive_key(to.settings.app.session_key.get_secret_value(), "vivero-control/people"))


def provisioning_job(to: Infrastructure) -> ProvisioningJob:
    return ProvisioningJob(to.provisioner, to.settings.tenant_url, f"{to.settings.origin}/signup", to.clock)


def _backup_deps(to: Infrastructure, audit: AuditService) -> BackupDeps:
    return BackupDeps(
        backups=to.backups,
        restores=to.restores,
        new_backups=OperationRepository(to.kube, TenantBackup, to.backups),
        new_restores=OperationRepository(to.kube, TenantRestore, to.restores),
        directory=to.directory,
        tenants=to.tenants,
        audit=audit,
        idempotency=to.idempotency,
        database=to.database,
        clock=to.clock,
    )


def _tickets(settings: Settings) -> LoginTickets:
    return LoginTickets(settings.app.ticket_private_key.get_secret_value())


def _signup_deps(to: Infrastructure, plans: PlanService) -> SignupDeps:
    settings = to.settings
    tickets = _tickets(settings)
    return SignupDeps(
        database=to.database,
        directory=to.directory,
        views=SignupViews(to.directory, to.reachability, tickets, settings.tenant_url, to.clock),
        bearers=BearerTokens(derive_key(settings.app.session_key.get_secret_value(), "vivero-control/signups")),
        streams=StreamSlots(settings.limits.event_streams),
        plans=plans,
        provisioner=to.provisioner,
        job=provisioning_job(to),
        passwords=to.passwords,
        idempotency=to.idempotency,
        domain=settings.domain,
        tenant_url=settings.tenant_url,
        wake_worker=to.wake_up.notify,
        clock=to.clock,
    )
