"""The pages' services with made-up answers: for tests of pages, and to look at them without a platform.

`PYTHONPATH=core:control_plane:web:ui:tests uvicorn unit.control_plane_web.fakes:app --port 8898`
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Litestar, Request, Response, route
from litestar.datastructures import Cookie
from litestar.di import Provide
from litestar.params import FromPath
from msgspec import UNSET, structs
from pydantic import AnyHttpUrl, SecretStr
from support.counting import unlimited
from unit.control_plane.builders import tenant
from unit.control_plane_web.billing_fakes import (
    FakeAccounts,
    FakeBilling,
    FakeChanges,
    FakeDeletion,
    FakeLinks,
    FakeManaged,
    FakePauses,
    FakePeople,
    FakePersonalData,
    FakeTaxIds,
    FakeTickets,
    FakeUsage,
)
from unit.control_plane_web.contract_fakes import FakeContracts, FakeInvoices, FakeQuotes
from unit.control_plane_web.figure_fakes import FakeAcquisition, FakeFigures, FakeVisits
from unit.control_plane_web.key_fakes import FakeStaffApiKeys
from unit.control_plane_web.lead_fakes import FakeLeads
from unit.control_plane_web.margin_fakes import FakeMargins
from unit.control_plane_web.monitoring_fakes import monitoring
from unit.control_plane_web.run_fakes import FakeBulkRuns
from unit.control_plane_web.status_fakes import FakeStatus
from unit.control_plane_web.timeline_fakes import FakeTimeline
from unit.control_plane_web.view_fakes import FakeTenantViews
from unit.control_plane_web.webhook_fakes import FakeWebhooks
from vivero_control.domain.accounts.backups import WorkspaceBackups
from vivero_control.domain.accounts.service import Visit
from vivero_control.domain.audit.search import AuditPage, AuditQuery, AuditSearch, Place
from vivero_control.domain.audit.service import AuditEntry, AuditService
from vivero_control.domain.backups import policies as backup_policies
from vivero_control.domain.backups.schemas import (
    BackUp,
    BackupView,
    BringBack,
    OperationState,
    Overview,
    RestoreView,
    StepState,
    StepView,
)
from vivero_control.domain.backups.service import NEWEST_OF_ONE, BackupService
from vivero_control.domain.billing.provider import TaxId
from vivero_control.domain.dead_letters.service import (
    DeadLetter,
    DeadLetterList,
    DeadLetterNotFoundError,
    DeadLetterService,
)
from vivero_control.domain.deleted.service import DeletedNotFoundError, DeletedTenant, DeletedTenants, Undelete
from vivero_control.domain.overview.service import OverviewService, PlatformOverview, PoolView, ServerView, customers
from vivero_control.domain.plans.service import PlanLimits, PlanService, PlanView
from vivero_control.domain.platform.service import (
    DumpView,
    PlatformBackupNotFoundError,
    PlatformBackups,
    PlatformBackupView,
    PlatformState,
    ProofView,
    StateView,
)
from vivero_control.domain.signups import policies
from vivero_control.domain.signups.confirmations import Confirmations
from vivero_control.domain.signups.leads import Lead
from vivero_control.domain.signups.policies import SignupNotFoundError, SlugTakenError, TriedBeforeError
from vivero_control.domain.signups.schemas import ConfirmedView, LeadView, SignupView, StartSignup, Step, TenantRef
from vivero_control.domain.signups.service import SignupService
from vivero_control.domain.signups.work import Work
from vivero_control.domain.staff import policies as staff_policies
from vivero_control.domain.staff.errors import EmailTakenError, MemberNotFoundError, WrongLoginError
from vivero_control.domain.staff.members import StaffMembers
from vivero_control.domain.staff.resets import StaffResets
from vivero_control.domain.staff.schemas import (
    Invitation,
    InvitationState,
    Login,
    Member,
    MemberChanges,
    NewMember,
    StaffView,
)
from vivero_control.domain.staff.second_factors import Changed, StaffSecondFactors
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.sessions import SESSION_COOKIE, StaffSessions
from vivero_control.domain.support.service import HOURS, Grant, NoSupportAccessError, SupportAccess
from vivero_control.domain.support.service import Role as SupportRole
from vivero_control.domain.tenants.bulk import BulkOrders
from vivero_control.domain.tenants.errors import TenantNotFoundError, WrongStateError
from vivero_control.domain.tenants.finder import WorkspaceFinder
from vivero_control.domain.tenants.own_hosts import typed_host
from vivero_control.domain.tenants.schemas import (
    Action,
    ChangePlan,
    ConditionView,
    ConfirmOwner,
    ExtendTrial,
    HostState,
    HostStatus,
    OwnHostOrder,
    Page,
    RecoveryView,
    Rename,
    Resume,
    Suspend,
    TenantDetail,
    TenantQuery,
    TenantRow,
    TenantState,
)
from vivero_control.domain.tenants.service import TenantService
from vivero_control.settings import (
    BillingSettings,
    CompanySettings,
    InvoicingSettings,
    MailSettings,
    Settings,
    SubProcessor,
)
from vivero_control.web.pages import pages
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.plan import Feature
from vivero_core.model.tenant import Tenant
from vivero_web import totp
from vivero_web.bodies import FORM_BYTES, BoundedRequest
from vivero_web.challenges import ChallengeEndedError
from vivero_web.counts import LocalCounts
from vivero_web.current_request import Proxies
from vivero_web.errors import (
    FieldError,
    InvalidInputError,
    LinkSpentError,
    TooManyRequestsError,
    UnavailableError,
    WebError,
)
from vivero_web.limiter import Limiter
from vivero_web.links import ChosenPassword, secret_in
from vivero_web.problem import Problem, describe, problem_response, wants_page
from vivero_web.request_context import RequestContext
from vivero_web.second_factors import CodeNeededError, CodeRefusedError, Enrolment, SecondFactor, WrongCodeError
from vivero_web.text import company_problem

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script> \"Bähr\" & Söhne 🌱"
ADMIN = StaffView(id=str(UUID(int=1)), email="ada@vivero.example", role="admin")
CODE = "123456"
SUPPORT = StaffView(id=str(UUID(int=2)), email="grace@vivero.example", role="support")


def plan(name: str, cents: int, records: int | None, users: int | None, gigabytes: int | None) -> PlanView:
    return PlanView(
        name=name,
        display_name=name.capitalize(),
        description=f"{name.capitalize()} for a while.",
        price_cents=cents,
        currency="EUR",
        starting_at=name == "enterprise",
        offered=True,
        trial_days=30 if name == "trial" else None,
        undo_days=14,
        support="E-mail",
        limits=PlanLimits(
            records=records, users=users, storage_bytes=gigabytes and gigabytes * 1024**3, requests_per_minute=600
        ),
        features=(
            Feature.COLLECTIONS,
            Feature.AUDIT_LOG,
            *((Feature.SELF_HOSTING,) if name == "enterprise" else ()),
        ),
    )


PLANS = (
    plan("trial", 0, 10_000, 5, 5),
    plan("starter", 200_000, 50_000, 20, 50),
    plan("professional", 500_000, 500_000, None, 500),
    plan("enterprise", 1_500_000, None, None, None),
    structs.replace(plan("pilot", 100, 10, 1, 1), offered=False),
)


class FakePlans(PlanService):
    def __init__(self, *, away: bool = False) -> None:
        self.away = away

    def all(self) -> tuple[PlanView, ...]:
        if self.away:
            raise UnavailableError
        return PLANS


STEPS = ("Database", "File storage", "Cache", "Application", "Address", "Your account", "Everything checked")
NAMES = ("database", "storage", "cache", "workload", "route", "owner", "ready")


def signup(done: int, state: str = "provisioning", started: datetime = NOW) -> SignupView:
    """A signup with so many steps done."""
    parts = tuple(
        Step(
            name=name,  # type: ignore[arg-type]
            label=label,
            state="done" if at < done else "running" if at == done else "waiting",
            message="Waiting for the first answer" if at == done else "",
            finished_at=started + timedelta(seconds=0.3 * (at + 1)) if at < done else None,
        )
        for at, (name, label) in enumerate(zip(NAMES, STEPS, strict=True))
    )
    return SignupView(
        id="5f2c",
        state=state,  # type: ignore[arg-type]
        tenant=TenantRef("acme", "acme", "https://acme.vivero.localhost:8443"),
        steps=parts,
        detail="The address is taken." if state == "failed" else "",
        created_at=started,
        login_url="https://acme.vivero.localhost:8443/login/ticket#t1ck3t" if state == "ready" else UNSET,
    )


class FakeSignups(SignupService):
    bearer = "b3arer"

    def __init__(self) -> None:
        self.started: list[StartSignup] = []
        self.keys: list[str | None] = []
        self.view = signup(3)
        self.stream: list[SignupView | None] = [signup(3), None, signup(7, "ready")]

    async def start(self, order: StartSignup, *, idempotency_key: str | None = None) -> SignupView:
        if problems := policies.check(order):
            raise InvalidInputError.of_all(problems)
        if order.slug == "taken":
            raise SlugTakenError("taken")
        self.started.append(order)
        self.keys.append(idempotency_key)
        return structs.replace(self.view, bearer=self.bearer)

    async def lead_of(self, slug: str | None) -> LeadView:
        if slug != "northwind":
            return LeadView(signed_up_at=None, confirmed_at=None, lead=Lead())
        lead = Lead(utm_source="newsletter", utm_campaign=HOSTILE[:100], referrer="blog.example")
        return LeadView(signed_up_at=NOW - timedelta(days=9), confirmed_at=NOW, lead=lead)

    async def get(self, signup_id: str, bearer: str | None = None) -> SignupView:
        if signup_id == "unknown":
            raise SignupNotFoundError
        return self._for(bearer, self.view)

    async def follow(self, signup_id: str, bearer: str | None = None) -> AsyncIterator[SignupView | None]:
        await self.get(signup_id)

        async def views() -> AsyncIterator[SignupView | None]:
            for view in self.stream:
                yield view and self._for(bearer, view)

        return views()

    def _for(self, bearer: str | None, view: SignupView) -> SignupView:
        return view if bearer == self.bearer else structs.replace(view, login_url=UNSET)


def row(name: str, **changes: object) -> TenantRow:
    made = TenantRow(
        name=name,
        id="k3v9q2mzt1",
        slug=name,
        display_name=name.capitalize(),
        url=f"https://{name}.vivero.localhost:8443",
        plan="trial",
        owner_email=f"owner@{name}.example",
        owner_confirmed=True,
        state=TenantState.READY,
        message="Proved",
        suspended_reason=None,
        trial_ends_at=NOW + timedelta(days=21),
        version="0.1.0",
        created_at=NOW - timedelta(days=9),
    )
    return structs.replace(made, **changes)


ROWS = (
    row("northwind", display_name="Northwind Traders"),
    row("hostile", display_name=HOSTILE, state=TenantState.STARTING, version=None, id="", created_at=NOW),
    row("halden", display_name="Halden Marine AS", plan="starter", trial_ends_at=None),
    row(
        "brisa",
        display_name="Brisa Solar, S.L.",
        state=TenantState.SUSPENDED,
        suspended_reason=SuspensionReason.TRIAL_ENDED,
        trial_ends_at=NOW - timedelta(days=2),
    ),
    row("kestrel", display_name="Kestrel Labs", trial_ends_at=NOW + timedelta(hours=30), owner_confirmed=False),
    row("lund", display_name="Lund Textil AB", plan="professional", trial_ends_at=None),
    row("maison", display_name="Maison Perrin", state=TenantState.DELETING),
)
SPARE = row(
    "trial-x7k2m",
    display_name="Spare",
    state=TenantState.STANDBY,
    slug=None,
    url=None,
    owner_email=None,
    trial_ends_at=None,
)


def condition(
    kind: str, seconds: float, status: str = "True", reason: str = "Done", message: str = ""
) -> ConditionView:
    return ConditionView(
        type=kind, status=status, reason=reason, message=message, since=NOW - timedelta(days=9, seconds=-seconds)
    )


class FakeTenants(TenantService):
    def __init__(self, rows: tuple[TenantRow, ...] = ROWS) -> None:
        self.rows = rows
        self.orders: list[tuple[str, Any, str]] = []
        self.queries: list[TenantQuery] = []

    def search(self, query: TenantQuery) -> Page[TenantRow]:
        self.queries.append(query)
        found = [one for one in self.rows if query.search.lower() in one.display_name.lower()]
        part = tuple(found[query.offset : query.offset + query.limit])
        return Page(items=part, total=len(found), limit=query.limit, offset=query.offset)

    async def get(self, name: str) -> TenantDetail:
        found = next((one for one in self.rows if one.name == name), None)
        if found is None:
            raise TenantNotFoundError(name)
        return TenantDetail(
            tenant=found,
            uid=f"uid-{found.name}",
            conditions=(
                condition("DatabaseReady", 0.4, reason="Granted", message="Schema and user exist; grants are exact."),
                condition("StorageReady", 0.6, reason="BucketReady"),
                condition("CacheReady", 0.5, reason="UserReady"),
                condition("WorkloadReady", 2.1, reason="Available", message="1 of 1 pods serve."),
                condition("RouteReady", 2.3, reason="Programmed"),
                condition("OwnerReady", 2.5, reason="AccountMade"),
                condition("Ready", 2.6, reason="Proved", message="Database, files, cache and health were used."),
                condition("Suspended", 0, "True" if found.suspended_reason else "False", "NotSuspended"),
            ),
            hosts=(),
            suspended_message="Thank you for trying Vivero." if found.suspended_reason else "",
            deletion_policy="Retain",
            database_server="main",
            proven_at=NOW - timedelta(minutes=4),
            recovery=RecoveryView(
                begins=NOW - timedelta(days=14),
                ends=NOW - timedelta(minutes=20),
                last_proof=NOW - timedelta(hours=7),
                proof_result="Failed" if found.suspended_reason else "Passed",
                message="Failed: compare: not the same as the live data: vtaaaaaaaaaa.c_1 (rows)"
                if found.suspended_reason
                else "Passed: what the archive restores is the same as the live data",
            ),
            generation=3,
        )

    def subjects(self, name: str) -> tuple[str, ...]:
        return (f"tenant/{name}",)

    async def fresh(self, name: str) -> Tenant:
        await self.get(name)
        return tenant(name)

    async def _give(
        self,
        name: str,
        order: Suspend | Resume | ExtendTrial | ConfirmOwner | ChangePlan | Rename | OwnHostOrder,
        actor: str,
    ) -> TenantDetail:
        if order.reason == "conflict":
            raise WrongStateError("It is suspended already (Manual).")
        found = await self.get(name)
        self.orders.append((name, order, actor))
        return found

    async def give(self, name: str, order: Action, actor: str) -> TenantDetail:
        return await self._give(name, order, actor)

    async def check(self, name: str, order: Action) -> TenantDetail:
        found = await self.get(name)
        if isinstance(order, Suspend) and found.tenant.suspended_reason:
            raise WrongStateError("It is suspended already.")
        return found

    async def confirm_owner(self, name: str, order: ConfirmOwner, actor: str) -> TenantDetail:
        return await self._give(name, order, actor)

    async def change_plan(self, name: str, order: ChangePlan, actor: str) -> TenantDetail:
        return await self._give(name, order, actor)

    async def add_host(self, name: str, order: OwnHostOrder, actor: str) -> TenantDetail:
        typed_host(order.host)
        return await self._give(name, order, actor)

    async def remove_host(self, name: str, order: OwnHostOrder, actor: str) -> TenantDetail:
        return await self._give(name, order, actor)

    async def rename(self, name: str, order: Rename, actor: str) -> TenantDetail:
        if problem := company_problem(order.display_name):
            raise InvalidInputError.of("display_name", problem)
        return await self._give(name, order, actor)


def steps(*states: StepState, names: tuple[str, ...] = ("files", "dump", "verify")) -> tuple[StepView, ...]:
    """So many steps of ten seconds each, of an operation that began a minute ago."""
    begun = [NOW - timedelta(seconds=60 - 10 * at) for at in range(len(states))]
    return tuple(
        StepView(
            name=name,
            state=state,
            message="12 files, of which 2 are new" if name == "files" and state == "done" else "",
            started_at=None if state == "waiting" else at,
            finished_at=at + timedelta(seconds=10) if state in {"done", "failed"} else None,
        )
        for name, state, at in zip(names, states, begun, strict=True)
    )


def backup(name: str, hours: float = 1, **changes: object) -> BackupView:
    """Complete, of so many hours ago."""
    moment = NOW - timedelta(hours=hours)
    made = BackupView(
        name=name,
        tenant="northwind",
        state=OperationState.COMPLETE,
        reason="BackedUp",
        message="Complete: read back, the same as written",
        steps=steps("done", "done", "done"),
        created_at=moment,
        ended_at=moment,
        scheduled=False,
        taken_at=moment,
        bytes=13_002_342,
        files=1204,
        restorable=True,
    )
    return structs.replace(made, **changes)


def failed_backup(name: str, hours: float = 1, **changes: object) -> BackupView:
    lost: dict[str, Any] = {"taken_at": None, "bytes": None, "files": None, "restorable": False}
    said = {"reason": "Failed", "message": "Failed: dump: mariadb-dump: Got error: 2013: Lost connection to server"}
    return backup(name, hours, **{"state": OperationState.FAILED, **lost, **said, **changes})


def restore(name: str, hours: float = 1, **changes: object) -> RestoreView:
    """Complete, of so many hours ago."""
    moment = NOW - timedelta(hours=hours)
    made = RestoreView(
        name=name,
        tenant="northwind",
        state=OperationState.COMPLETE,
        reason="Restored",
        message="Complete: compared with the source, and the new Tenant is Ready",
        steps=steps("done", "done", "done", "done", names=("log", "database", "files", "verify")),
        created_at=moment,
        ended_at=moment,
        backup=None,
        time=moment - timedelta(hours=3),
        in_place=False,
        as_of=False,
        url=None,
        expires_at=None,
        target=name,
        slug=name,
        switched_at=None,
        restored_to=moment - timedelta(hours=3),
        files=1204,
        missing_files=None,
    )
    return structs.replace(made, **changes)


RECOVERY = RecoveryView(
    begins=NOW - timedelta(days=14),
    ends=NOW - timedelta(minutes=20),
    last_proof=NOW - timedelta(hours=13),
    proof_result="Passed",
    message="Restored and compared: the same",
)


class FakeBackups(BackupService):
    """What it is given; an order with the reason `conflict` or for the address `taken` is refused."""

    def __init__(
        self,
        backups: tuple[BackupView, ...] = (),
        restores: tuple[RestoreView, ...] = (),
        *,
        recovery: RecoveryView | None = None,
        away: bool = False,
        refusal: WebError | None = None,
    ) -> None:
        self.kept = backups
        self.brought_back = restores
        self.known = recovery
        self.away = away
        self.refusal = refusal
        self.orders: list[tuple[str, BackUp | BringBack, str, str | None]] = []

    def overview(self, tenant: str) -> Overview:
        backups = [one for one in self.kept if one.tenant == tenant and one.state.ended]
        restores = [one for one in self.brought_back if one.tenant == tenant and one.state.ended]
        every: tuple[BackupView | RestoreView, ...] = (*self.brought_back, *self.kept)
        return Overview(
            under_way=tuple(one for one in every if not one.state.ended),
            backups=tuple(backups[:NEWEST_OF_ONE]),
            restores=tuple(restores[:NEWEST_OF_ONE]),
            ended_backups=len(backups),
            ended_restores=len(restores),
            no_bucket=self.away,
        )

    def newest(self) -> tuple[tuple[BackupView | RestoreView, ...], int]:
        return (*self.brought_back, *self.kept), len(self.brought_back) + len(self.kept)

    def restorable(self, tenant: str) -> tuple[BackupView, ...]:
        return tuple(one for one in self.kept if one.tenant == tenant and one.restorable)

    def recovery(self, tenant: str) -> RecoveryView | None:
        del tenant
        return self.known

    def no_bucket(self) -> bool:
        return self.away

    async def back_up(
        self, tenant: str, order: BackUp, actor: str, *, idempotency_key: str | None = None
    ) -> BackupView:
        self._give(tenant, order, actor, idempotency_key)
        return backup(f"{tenant}-new", 0, state=OperationState.WAITING)

    async def bring_back(
        self, tenant: str, order: BringBack, actor: str, *, idempotency_key: str | None = None
    ) -> RestoreView:
        if errors := self.problems(tenant, order):
            raise InvalidInputError.of_all(errors)
        self._give(tenant, order, actor, idempotency_key)
        return restore(order.target.slug, 0, state=OperationState.WAITING)

    def problems(self, tenant: str, order: BringBack, name: str = "") -> list[FieldError]:
        del name
        checked = structs.replace(order, target=backup_policies.resolved(order.target))
        names = {one.name for one in self.restorable(tenant)}
        return backup_policies.check(checked, now=NOW, recovery=self.known, restorable=names)

    def _give(self, tenant: str, order: BackUp | BringBack, actor: str, key: str | None) -> None:
        if self.refusal:
            raise self.refusal
        self.orders.append((tenant, order, actor, key))


_LIST = tuple(
    failed_backup(f"northwind-{number:012x}", 24 * number, scheduled=True)
    if number == 3
    else backup(f"northwind-{number:012x}", 24 * number, scheduled=number % 7 != 2)
    for number in range(1, 70)
)
BACKUPS = (
    backup(
        "northwind-8c1fe0a2d937",
        0.02,
        state=OperationState.RUNNING,
        message="Running: dump",
        steps=steps("done", "running", "waiting"),
        taken_at=None,
        bytes=None,
        files=None,
        restorable=False,
    ),
    *_LIST,
)
RESTORES = (
    restore("northwind-20261121", 20),
    restore("northwind-5", 30, in_place=True, target=None, slug=None, switched_at=NOW - timedelta(hours=29)),
    restore(
        "northwind-then",
        44,
        state=OperationState.REFUSED,
        reason="Refused",
        message="Refused: log: out of reach; what can be restored: 2026-11-08T15:30:00Z to 2026-11-22T15:10:00Z",
        restored_to=None,
        files=None,
        time=NOW - timedelta(days=40),
    ),
    restore("northwind-copy", 70, backup="northwind-000000000002", time=None, missing_files=2),
)


class FakeAudit(AuditService):
    def __init__(self) -> None:
        pass

    async def history(self, *subjects: str) -> tuple[AuditEntry, ...]:
        return (
            AuditEntry(
                at=NOW - timedelta(hours=5),
                actor="ada@vivero.example",
                action="extend-trial",
                subject=subjects[0],
                reason="They asked for two more weeks to import their records.",
                detail={},
                outcome="done",
            ),
        )


class FakeOverview(OverviewService):
    def __init__(self, rows: Sequence[TenantRow] | None = None, failed: int = 2) -> None:
        self.rows = ROWS if rows is None else rows
        self.failed = failed

    async def now(self) -> PlatformOverview:
        return PlatformOverview(
            at=NOW,
            customers=customers(self.rows, NOW),
            dead_letters=self.failed,
            billing_differences=self.failed,
            pools=(PoolView(name="trial", plan="trial", size=20, ready=3),),
            servers=(
                ServerView(
                    name="main", tenants=412, capacity=1000, cordoned=False, ready=True, message="Reachable", orphans=0
                ),
                ServerView(
                    name="second",
                    tenants=1000,
                    capacity=1000,
                    cordoned=True,
                    ready=False,
                    message="No answer",
                    orphans=2,
                ),
            ),
        )


class FakeAuditSearch(AuditSearch):
    """Has some hundred entries, and finds those of an action."""

    def __init__(self) -> None:
        self.entries = tuple(
            AuditEntry(
                at=NOW - timedelta(hours=number),
                actor="ada@vivero.example" if number % 3 else "vivero-control-plane",
                action=("suspend", "extend-trial", "invite", "login-refused")[number % 4],
                subject=("tenant/northwind", f"staff/{UUID(int=2)}", "signup/5f2e", "platform")[number % 4],
                reason="They asked for two more weeks to import their records." if number % 2 else "",
                detail={"plan": "starter", "until": "2026-12-24"} if number % 3 else {},
                outcome="failed: KubeUnavailableError" if number == 1 else "done",
                address="2001:db8::12" if number % 3 else "",
            )
            for number in range(120)
        )
        self.asked: list[AuditQuery] = []

    async def page(self, query: AuditQuery, cursor: str, limit: int) -> AuditPage:
        self.asked.append(query)
        found = [one for one in self.entries if query.action in ("", one.action)]
        start = Place.read(cursor).number if cursor else 0
        behind = str(Place(NOW, start + limit)) if start + limit < len(found) else None
        return AuditPage(tuple(found[start : start + limit]), behind)

    async def actions(self) -> Sequence[str]:
        return sorted({one.action for one in self.entries})


LETTERS = (
    DeadLetter(
        id=7,
        what="New workspace",
        recipient="northwind, owner@northwind.example",
        error="ClusterUnavailableError: The cluster does not answer. (KubeUnavailableError)",
        attempts=104,
        created_at=NOW - timedelta(hours=27),
        died_at=NOW - timedelta(hours=3),
        is_kept=True,
    ),
    DeadLetter(
        id=5,
        what="Mail “Your Vivero workspace”",
        recipient=HOSTILE,
        error="GiveUpError: the mail server refuses it (550): SMTPRecipientsRefused",
        attempts=1,
        created_at=NOW - timedelta(days=2),
        died_at=NOW - timedelta(days=2),
        is_kept=True,
    ),
    DeadLetter(
        id=2,
        what="Mail “Your Vivero trial has ended”",
        recipient="",
        error="MailServerUnavailableError: (SMTPConnectError)",
        attempts=1201,
        created_at=NOW - timedelta(days=21),
        died_at=NOW - timedelta(days=20),
        is_kept=False,
    ),
)


class FakeDeadLetters(DeadLetterService):
    def __init__(self, letters: tuple[DeadLetter, ...] = LETTERS, refusal: WebError | None = None) -> None:
        self.letters = letters
        self.refusal = refusal
        self.replayed: list[tuple[int, str]] = []

    async def newest(self) -> DeadLetterList:
        return DeadLetterList(items=self.letters, total=len(self.letters))

    async def replay(self, entry_id: int, actor: str) -> None:
        if self.refusal:
            raise self.refusal
        if entry_id not in {one.id for one in self.letters}:
            raise DeadLetterNotFoundError
        self.replayed.append((entry_id, actor))


def deleted(number: int = 1, **known: Any) -> DeletedTenant:  # noqa: ANN401  fields of DeletedTenant
    """One that was deleted yesterday."""
    return structs.replace(
        DeletedTenant(
            id="abcdefghij"[:9] + "abcdefgh"[number % 8],
            name=f"gone-{number}",
            display_name="Northwind Traders",
            slug=f"gone-{number}",
            plan="trial",
            owner_email="owner@northwind.example",
            deleted_at=NOW - timedelta(days=1),
            erased_at=NOW + timedelta(days=13),
        ),
        **known,
    )


DELETED = (deleted(1), deleted(2, display_name=HOSTILE))


class FakeDeleted(DeletedTenants):
    def __init__(self, rows: tuple[DeletedTenant, ...] = DELETED, refusal: WebError | None = None) -> None:
        self.rows = rows
        self.refusal = refusal
        self.orders: list[tuple[str, str, str]] = []

    async def all(self) -> tuple[DeletedTenant, ...]:
        return self.rows

    async def undelete(self, ident: str, action: Undelete, actor: str) -> DeletedTenant:
        if self.refusal:
            raise self.refusal
        found = next((one for one in self.rows if one.id == ident), None)
        if found is None:
            raise DeletedNotFoundError
        self.orders.append((ident, action.reason, actor))
        return found


def platform_backup(**known: Any) -> PlatformBackupView:  # noqa: ANN401  fields of PlatformBackupView
    """All is well, with a dump of each of ten nights."""
    dumps = tuple(
        DumpView(name=f"d202611{22 - day:02}-023004", taken_at=NOW - timedelta(days=day, hours=12)) for day in range(10)
    )
    made = PlatformBackupView(
        state=PlatformState.RECOVERABLE,
        reason="Stored",
        message="Complete: state 1204, and the control plane's tables as they change",
        installation="q7p2m4k9xa",
        stored=StateView(number=1204, stored_at=NOW - timedelta(minutes=3), bytes=48_213),
        dumps=dumps,
        proof=ProofView(
            ended_at=NOW - timedelta(hours=11), result="Passed", message="The same as the live tables", tables=9
        ),
        dumping=False,
    )
    return structs.replace(made, **known)


class FakePlatform(PlatformBackups):
    """Without one, there is no PlatformBackup."""

    def __init__(self, known: PlatformBackupView | None = None, refusal: WebError | None = None) -> None:
        self.known = known
        self.refusal = refusal
        self.orders: list[tuple[BackUp, str]] = []

    async def get(self) -> PlatformBackupView:
        if self.known is None:
            raise PlatformBackupNotFoundError
        return self.known

    async def back_up(self, order: BackUp, actor: str) -> PlatformBackupView:
        if self.refusal is not None:
            raise self.refusal
        self.orders.append((order, actor))
        return await self.get()


class FakeStaff(StaffService):
    """Knows one password, and one code."""

    def __init__(self, *, coded: bool = False) -> None:
        self.coded = coded

    async def login(self, login: Login, address: str) -> StaffView:
        del address
        if login.password != "right":
            raise WrongLoginError
        if self.coded:
            raise CodeNeededError("proven")
        return ADMIN

    async def finish(self, challenge: str, code: str) -> StaffView:
        if challenge != "proven":
            raise ChallengeEndedError
        if code != CODE:
            raise WrongCodeError
        return ADMIN


class FakeSecondFactors(StaffSecondFactors):
    """Of one person, who knows the same password and code."""

    def __init__(self, *, active: bool = False, required: bool = False) -> None:
        self.factor = SecondFactor(active=active, since=NOW if active else None, recovery_codes=10 if active else 0)
        self.required = required

    async def get(self, actor: StaffView) -> SecondFactor:
        del actor
        return self.factor

    async def begin(self, actor: StaffView, password: str, address: str) -> Enrolment:
        del address
        _prove(password)
        return await self.pending(actor)

    async def pending(self, actor: StaffView) -> Enrolment:
        secret = b"x" * 20
        return Enrolment(totp.shown(secret), totp.uri(secret, "vivero.localhost", actor.email))

    async def confirm(self, actor: StaffView, code: str, *, but: UUID | None = None) -> Changed:
        del but
        if code != CODE:
            raise CodeRefusedError
        self.factor = SecondFactor(active=True, since=NOW, recovery_codes=10)
        return Changed(member=actor, recovery_codes=["abcd-efgh-ijkl"] * 10)

    async def renew_codes(self, actor: StaffView, password: str, address: str) -> list[str]:
        del actor, address
        _prove(password)
        return ["mnop-qrst-uvwx"] * 10

    async def end(self, actor: StaffView, password: str, address: str, *, but: UUID | None = None) -> StaffView:
        del address, but
        _prove(password)
        self.factor = SecondFactor(active=False)
        return actor


def _prove(password: str) -> None:
    if password != "right":
        raise InvalidInputError.of("current_password", "This is not your password.")


class FakeSupportAccess(SupportAccess):
    """Of one workspace; keeps what was granted and why staff entered."""

    def __init__(self, grant: Grant | None = None) -> None:
        self.granted = grant
        self.reasons: list[str] = []

    async def current(self, tenant_id: str) -> Grant | None:
        del tenant_id
        return self.granted

    async def grant(self, visit: Visit, hours: int, role: SupportRole) -> Grant:
        visit.require_owner()
        if hours not in HOURS:
            raise InvalidInputError.of("hours", "Choose for how long.")
        self.granted = Grant(
            id="0" * 32, role=role, granted_by=visit.actor, granted_at=NOW, ends_at=NOW + timedelta(hours=hours)
        )
        return self.granted

    async def end(self, visit: Visit) -> None:
        visit.require_owner()
        self.granted = None

    async def enter(self, name: str, reason: str, member: StaffView) -> str:
        del name, member
        if not reason:
            raise InvalidInputError.of("reason", "Say why, in at most 500 characters.")
        if self.granted is None:
            raise NoSupportAccessError
        self.reasons.append(reason)
        return "https://northwind.vivero.localhost:8443/login/support#t1ck3t"


class ThreeMails:
    """Takes three requests for a mail to an address."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, email: str, address: str) -> None:
        del address
        if "@" not in email:
            raise InvalidInputError.of("email", "Enter an e-mail address such as name@example.com.")
        if self.asked.count(email) >= 3:
            raise TooManyRequestsError("Too many mails were asked for.", 3600)
        self.asked.append(email)


class FakeResets(ThreeMails, StaffResets):
    """Takes the one link `good`."""

    async def choose(self, chosen: ChosenPassword, address: str) -> None:
        del address
        if secret_in(chosen.code) != "good":
            raise LinkSpentError
        if len(chosen.password) < 10:
            raise InvalidInputError.of("password", "Use at least 10 characters.")


class FakeConfirmations(FakeLinks, Confirmations):
    """Takes the link `good`, and `other` of a person who has had a trial."""

    async def confirm(self, code: str) -> ConfirmedView:
        if secret_in(code) == "other":
            raise TriedBeforeError
        if secret_in(code) == "colleague":
            return ConfirmedView(url="https://northwind.vivero.localhost:8443", join_code="j01n")
        if secret_in(code) != "good":
            raise LinkSpentError
        return ConfirmedView(url="https://northwind.vivero.localhost:8443")

    async def ask_to_join(self, code: str) -> None:
        if code != "j01n":
            raise LinkSpentError
        self.asked.append(code)


class FakeFinder(ThreeMails, WorkspaceFinder):
    """Finds nothing."""


def person(number: int, email: str, **changes: object) -> Member:
    made = Member(
        id=UUID(int=number),
        email=email,
        role="support",
        active=True,
        created_at=NOW - timedelta(days=number),
        invitation=None,
    )
    return structs.replace(made, **changes)


def invited(number: int, email: str, state: InvitationState, days: float = 5) -> Member:
    return person(number, email, invitation=Invitation(state=state, expires_at=NOW + timedelta(days=days)))


PEOPLE = (
    person(1, ADMIN.email, role="admin"),
    person(2, SUPPORT.email, second_factor=True),
    person(3, "hedy@vivero.example", active=False),
    person(4, "ida@vivero.example", invitation=Invitation(state=InvitationState.SENDING, expires_at=None)),
    invited(5, "joan@vivero.example", InvitationState.SENT),
    invited(6, "karen@vivero.example", InvitationState.UNSENT),
    invited(7, f"{'l' * 64}@{'long-name-of-a-host.' * 9}example", InvitationState.EXPIRED, -1),
)


class FakeMembers(StaffMembers):
    """Keeps the orders; one about oneself, a taken address and a fourth mail are refused."""

    def __init__(self, people: tuple[Member, ...] = PEOPLE, refusal: WebError | None = None) -> None:
        self.people = people
        self.refusal = refusal
        self.orders: list[tuple[str, str, object]] = []

    async def all(self) -> tuple[Member, ...]:
        return self.people

    async def get(self, staff_id: UUID) -> Member:
        found = next((one for one in self.people if one.id == staff_id), None)
        if found is None:
            raise MemberNotFoundError
        return found

    async def invite(self, actor: StaffView, new: NewMember) -> Member:
        if new.email in {one.email for one in self.people}:
            raise EmailTakenError
        return await self._keep("invite", actor, new, UUID(int=1))

    async def invite_again(self, actor: StaffView, staff_id: UUID) -> Member:
        return await self._keep("invite-again", actor, staff_id, staff_id)

    async def withdraw(self, actor: StaffView, staff_id: UUID) -> None:
        await self._keep("withdraw", actor, staff_id, staff_id)

    async def change(self, actor: StaffView, staff_id: UUID, changes: MemberChanges) -> Member:
        staff_policies.forbid_own_account(actor, staff_id)
        return await self._keep("change", actor, changes, staff_id)

    async def reset_second_factor(self, actor: StaffView, staff_id: UUID) -> Member:
        return await self._keep("reset-second-factor", actor, None, staff_id)

    async def _keep(self, what: str, actor: StaffView, order: object, staff_id: UUID) -> Member:
        if self.refusal:
            raise self.refusal
        self.orders.append((what, actor.email, order))
        return await self.get(staff_id)


class FakeSessions(StaffSessions):
    def __init__(self) -> None:
        pass

    async def open(self, staff: StaffView) -> Cookie:
        return Cookie(key=SESSION_COOKIE, value=staff.id, secure=True, httponly=True, samesite="lax", path="/")

    async def read(self, value: str | None) -> StaffView | None:
        return {ADMIN.id: ADMIN, SUPPORT.id: SUPPORT}.get(value or "")

    async def close(self, value: str | None) -> Cookie:
        del value
        return Cookie(key=SESSION_COOKIE, value="", max_age=0, secure=True, httponly=True, path="/")


SETTINGS = Settings.model_construct(
    public_url=AnyHttpUrl("https://vivero.localhost:8443"),
    mail=MailSettings(host="mail.example"),
    billing=BillingSettings(secret_key=SecretStr("sk_test_fake"), webhook_secret=SecretStr("whsec_fake")),
    company=CompanySettings(
        name="Grünwald & Söhne Ltd",
        address="1 Example Street\n12345 Exampletown",
        email="hello@grunwald.example",
        phone="+44 20 7946 0000",
        represented_by="Jo Example",
        register_entry="Companies House 01234567",
        vat_id="GB123456789",
        law="England and Wales",
        invoicing=InvoicingSettings(country="GB", vat_rate=Decimal(20), iban="GB33BUKB20201555555555"),
        sub_processors=[SubProcessor(name="Höst & Co", purpose="Servers and backups", place="Ireland")],
    ),
)


HOSTS = {
    state.value: HostStatus(host=f"{state}.vivero.localhost", state=state, display_name="Northwind Traders")
    for state in HostState
} | {
    "ended": HostStatus(
        host="brisa.vivero.localhost",
        state=HostState.SUSPENDED,
        display_name="Brisa Solar, S.L.",
        reason=SuspensionReason.TRIAL_ENDED,
        message=HOSTILE,
    )
}


def fakes(**replaced: object) -> dict[str, object]:
    """Fresh ones, by their dependencies' names; a keyword replaces one."""
    billing = replaced.get("billing", FakeBilling(FakePlans()))
    assert isinstance(billing, FakeBilling)
    backups = replaced.get("backups", FakeBackups(BACKUPS, RESTORES, recovery=RECOVERY))
    assert isinstance(backups, FakeBackups)
    tenants = replaced.get("tenants", FakeTenants())
    assert isinstance(tenants, FakeTenants)
    return {
        "plans": FakePlans(),
        "signups": FakeSignups(),
        "tenants": tenants,
        "bulk": BulkOrders(tenants),
        "tenant_views": FakeTenantViews(),
        "api_keys": FakeStaffApiKeys(),
        "audit": FakeAudit(),
        "status": FakeStatus(),
        "backups": backups,
        "workspace_backups": WorkspaceBackups(backups, lambda: NOW),
        "audit_search": FakeAuditSearch(),
        "timeline": FakeTimeline(),
        "figures": FakeFigures(),
        "acquisition": FakeAcquisition(),
        "margins": FakeMargins(),
        "bulk_runs": FakeBulkRuns(),
        "leads": FakeLeads(),
        "visits": FakeVisits(),
        "monitoring": monitoring(),
        "overview": FakeOverview(),
        "webhooks": FakeWebhooks(),
        "deleted": FakeDeleted(),
        "platform": FakePlatform(platform_backup()),
        "dead_letters": FakeDeadLetters(),
        "quotes": FakeQuotes(),
        "contracts": FakeContracts(),
        "invoices": FakeInvoices(),
        "staff": FakeStaff(),
        "support_access": FakeSupportAccess(),
        "second_factors": FakeSecondFactors(),
        "resets": FakeResets(),
        "workspace_finder": FakeFinder(),
        "confirmations": FakeConfirmations(),
        "work": Work(b"k" * 32, Limiter(LocalCounts()), 1000, lambda: NOW),
        "members": FakeMembers(),
        "billing": billing,
        "managed": FakeManaged(billing),
        "workspace_usage": FakeUsage(),
        "workspace_deletion": FakeDeletion(),
        "personal_data": FakePersonalData(),
        "workspace_people": FakePeople("grace@example.com"),
        "plan_changes": FakeChanges(FakeBilling(FakePlans())),
        "plan_pauses": FakePauses(),
        "tax_ids": FakeTaxIds(TaxId("txi_1", "eu_vat", "DE123456789", "verified")),
        "accounts": FakeAccounts(),
        "account_tickets": FakeTickets(),
        "account_links": FakeLinks(),
        "sessions": FakeSessions(),
        "settings": SETTINGS,
    } | replaced


def make_app(**replaced: object) -> Litestar:
    """The web layer over fakes; a keyword replaces one by its dependency's name."""
    return app_over(fakes(**replaced))


def app_over(services: Mapping[str, object]) -> Litestar:
    """The web layer over what the mapping holds at each request."""
    web = pages(clock=lambda: NOW)

    def provided(name: str) -> Provide:
        def give() -> Any:  # noqa: ANN401  each dependency has a type of its own
            return services[name]

        return Provide(give, sync_to_thread=False)

    @route("/-/host/{which:str}", http_method=["GET", "POST"], sync_to_thread=False)
    def host(request: Request[Any, Any, Any], which: FromPath[str]) -> Response[Any]:
        assert web.host_page
        assert web.host_error
        if which == "busy":
            problem, _ = describe(TooManyRequestsError("Too many requests from your address.", 30))
            return web.host_error(request, problem)
        return web.host_page(HOSTS[which], request.method == "POST")

    def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        problem, _ = describe(error)
        if not wants_page(request) or web.error_page is None:
            return problem_response(error)
        return web.error_page(request, Problem(**structs.asdict(problem) | {"request_id": "01JD3K9Q2MZT1VXA"}))

    app = Litestar(
        request_class=BoundedRequest,
        request_max_body_size=FORM_BYTES,
        route_handlers=[*web.route_handlers, host],
        template_config=web.template_config,
        dependencies={name: provided(name) for name in services},
        exception_handlers={Exception: on_error},
    )
    app.asgi_handler = RequestContext(unlimited().around(app.asgi_handler), Proxies(0), hsts="")
    return app


class OpenDoor(FakeSessions):
    """Everyone is logged in: for looking at pages."""

    async def read(self, value: str | None) -> StaffView | None:
        del value
        return ADMIN


app = make_app(sessions=OpenDoor())
