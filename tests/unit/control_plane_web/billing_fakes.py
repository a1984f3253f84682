"""Billing in memory: who has a link, what was bought, and where the payment provider's pages would be."""

from datetime import datetime, timedelta
from typing import Any

from litestar.datastructures import Cookie
from msgspec import structs
from unit.control_plane.builders import NOW, tenant
from unit.control_plane.test_billing_policies import invoice, subscription
from vivero_control.domain.accounts.deletion import WorkspaceDeletion, check_confirmed
from vivero_control.domain.accounts.links import AccountLinks
from vivero_control.domain.accounts.people import Manager, WorkspacePeople
from vivero_control.domain.accounts.personal_data import PersonalData, PersonalDataService
from vivero_control.domain.accounts.service import ManagedWorkspaces, NoAccountSessionError, Role, Visit
from vivero_control.domain.accounts.sessions import COOKIE, AccountSessions, Holder
from vivero_control.domain.accounts.tickets import AccountTickets
from vivero_control.domain.accounts.usage import Meter, Usage, WorkspaceUsage
from vivero_control.domain.billing.change_rules import Moment, Preview
from vivero_control.domain.billing.changes import PlanChanges
from vivero_control.domain.billing.errors import (
    CostChangedError,
    NothingBoughtError,
    PauseChangedError,
    SubscribedAlreadyError,
)
from vivero_control.domain.billing.pause_rules import Restart
from vivero_control.domain.billing.pauses import PlanPauses
from vivero_control.domain.billing.policies import FOR_PEOPLE, Difference
from vivero_control.domain.billing.provider import CANCEL_REASONS, TAX_ID_KINDS, Cost, CostLine, TaxId
from vivero_control.domain.billing.schemas import (
    DifferenceList,
    FoundDifference,
    Interval,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    SubscriptionStatus,
)
from vivero_control.domain.billing.service import BillingService, BillingView, is_sold
from vivero_control.domain.billing.tax_ids import TaxIds
from vivero_control.domain.deleted.service import DeletedNotFoundError, DeletedTenant
from vivero_control.domain.plans.service import PlanService, PlanView
from vivero_core.model.naming import slug_problem
from vivero_core.model.tenant import Tenant
from vivero_web.errors import ConflictError, InvalidInputError, LinkSpentError, TooManyRequestsError, WebError
from vivero_web.security import host_cookie
from vivero_web.text import email_problem

OWNER = "owner@acme.example.com"
PAY = "https://checkout.stripe.com/c/pay/cs_test_1"
PORTAL = "https://billing.stripe.com/p/session/bps_1"
NOTHING = BillingView(customer=None, subscription=None, invoices=(), applied_at=None)


def invoices(count: int, newest: InvoiceStatus = InvoiceStatus.PAID) -> tuple[Invoice, ...]:
    """One a month, the newest first; the oldest is the first."""
    return tuple(
        structs.replace(
            invoice(count - back),
            number=f"VIV-{count - back:04}",
            status=InvoiceStatus.PAID if back else newest,
            kind=InvoiceKind.FIRST if back == count - 1 else InvoiceKind.RENEWAL,
            created_at=NOW - timedelta(days=30 * back),
            period_start=NOW - timedelta(days=30 * back),
            period_end=NOW - timedelta(days=30 * (back - 1)),
            page_url=f"https://invoice.stripe.com/i/acct_1/{count - back}",
        )
        for back in range(count)
    )


def bought(status: SubscriptionStatus = SubscriptionStatus.ACTIVE, count: int = 1, **known: Any) -> BillingView:  # noqa: ANN401  fields of Subscription
    owes = status in {SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID}
    return BillingView(
        customer="cus_1",
        subscription=subscription(status, **known),
        invoices=invoices(count, InvoiceStatus.OPEN if owes else InvoiceStatus.PAID),
        applied_at=NOW,
    )


def differences(count: int, tenant_name: str = "acme") -> tuple[FoundDifference, ...]:
    """Of every kind in turn."""
    kinds = [*Difference]
    return tuple(
        FoundDifference(
            tenant=tenant_name,
            what=(what := kinds[number % len(kinds)]),
            detail=f"in_{'x' * 40}, in_{number}",
            for_people=what in FOR_PEOPLE,
            found_at=NOW - timedelta(hours=number),
        )
        for number in range(count)
    )


class FakeBilling(BillingService):
    """One workspace, and what was bought for it; orders are kept."""

    def __init__(
        self,
        plans: PlanService,
        view: BillingView = NOTHING,
        *,
        on: bool = True,
        workspace: Tenant | None = None,
        refusal: WebError | None = None,
    ) -> None:
        self.plans = plans
        self.view = view
        self.on = on
        self.workspace = workspace or tenant(trialEndsAt="2026-12-01T00:00:00Z")
        self.refusal = refusal
        self.found: tuple[FoundDifference, ...] = ()
        self.orders: list[tuple[str, str]] = []
        self.refreshed = 0

    @property
    def is_on(self) -> bool:
        return self.on

    def offers(self) -> tuple[PlanView, ...]:
        return tuple(plan for plan in self.plans.offered() if is_sold(plan))

    async def of_tenant(self, tenant_uid: str) -> BillingView:
        del tenant_uid
        return self.view

    async def differences(self) -> DifferenceList:
        return DifferenceList(items=self.found, total=len(self.found))

    async def refresh(self, tenant_uid: str) -> None:
        del tenant_uid
        self.refreshed += 1
        if self.refusal:
            raise self.refusal

    async def checkout(self, tenant: Tenant, plan: str, interval: Interval, return_url: str) -> str:
        del tenant, return_url
        if self.refusal:
            raise self.refusal
        if plan not in {one.name for one in self.offers()}:
            raise InvalidInputError.of("plan", "Choose one of the plans.")
        if self.view.subscription is not None:
            raise SubscribedAlreadyError
        self.orders.append((plan, interval))
        return PAY

    async def portal(self, tenant: Tenant, return_url: str) -> str:
        del tenant, return_url
        if self.view.customer is None:
            raise NothingBoughtError
        return PORTAL


class FakeChanges(PlanChanges):
    """Upgrades cost €3,000 now; what was done is kept."""

    def __init__(self, billing: BillingService, refusal: WebError | None = None) -> None:
        self.sold = billing
        self.refusal = refusal
        self.done: list[tuple[object, ...]] = []

    async def preview(self, tenant: Tenant, plan: str, interval: Interval) -> Preview:
        if self.refusal:
            raise self.refusal
        offer = self.sold.offer(tenant, plan, interval)
        cost = Cost(300_000, (CostLine("Unused time of the plan before", -200_000), CostLine("From now on", 500_000)))
        if plan == "starter":
            end = NOW + timedelta(days=30)
            return Preview(offer=offer, moment=Moment.PERIOD_END, at=NOW, cost=Cost(0), starts_at=end, renews_at=end)
        return Preview(offer=offer, moment=Moment.NOW, at=NOW, cost=cost, starts_at=NOW, renews_at=None)

    async def change(
        self, tenant: Tenant, plan: str, interval: Interval, *, at: datetime, cents: int, by: str
    ) -> Moment:
        found = await self.preview(tenant, plan, interval)
        if (at, cents) != (found.at, found.cost.total_cents):
            raise CostChangedError
        self.done.append(("change", plan, interval, by))
        return found.moment

    async def keep(self, tenant: Tenant, by: str) -> None:
        del tenant
        self._do("keep", by)

    async def cancel(self, tenant: Tenant, reason: str, comment: str, by: str) -> None:
        del tenant
        if reason not in CANCEL_REASONS:
            raise InvalidInputError.of("reason", "Choose the reason that fits best.")
        self._do("cancel", reason, comment, by)

    async def resume(self, tenant: Tenant, by: str) -> None:
        del tenant
        self._do("resume", by)

    def _do(self, *what: object) -> None:
        if self.refusal:
            raise self.refusal
        self.done.append(what)


class FakePauses(PlanPauses):
    """Pauses a plan whose period ends in 30 days, and ends a pause for €2,000; what was done is kept."""

    def __init__(self, refusal: WebError | None = None) -> None:
        self.refusal = refusal
        self.done: list[tuple[object, ...]] = []

    async def pause(self, tenant: Tenant, months: int, *, starts_at: datetime, by: str, reason: str = "") -> None:
        del tenant
        if starts_at != NOW + timedelta(days=30):
            raise PauseChangedError
        self._do("pause", months, by, *filter(None, [reason]))

    async def take_back(self, tenant: Tenant, by: str, reason: str = "") -> None:
        del tenant
        self._do("take back", by, *filter(None, [reason]))

    async def preview_restart(self, tenant: Tenant) -> Restart:
        del tenant
        if self.refusal:
            raise self.refusal
        paused = subscription(SubscriptionStatus.PAUSED, paused_from=NOW, paused_until=NOW + timedelta(days=30))
        return Restart(current=paused, at=NOW, cost=Cost(200_000, (CostLine("Vivero Starter", 200_000),)))

    async def restart(self, tenant: Tenant, *, at: datetime, cents: int, by: str) -> None:
        found = await self.preview_restart(tenant)
        if (at, cents) != (found.at, found.cost.total_cents):
            raise CostChangedError
        self._do("restart", by)

    def _do(self, *what: object) -> None:
        if self.refusal:
            raise self.refusal
        self.done.append(what)


class FakeTaxIds(TaxIds):
    """Knows the form of no number, but that it has digits."""

    def __init__(self, *found: TaxId, refusal: WebError | None = None) -> None:
        self.found = list(found)
        self.refusal = refusal

    async def all(self, tenant: Tenant) -> tuple[TaxId, ...]:
        del tenant
        if self.refusal:
            raise self.refusal
        return tuple(self.found)

    async def add(self, tenant: Tenant, kind: str, typed: str, by: str) -> None:
        del tenant, by
        if kind not in TAX_ID_KINDS:
            raise InvalidInputError.of("kind", "Choose what kind of number it is.")
        if not any(sign.isdigit() for sign in typed):
            raise InvalidInputError.of("value", "This is no VAT id.")
        self.found.append(TaxId(f"txi_{len(self.found)}", kind, typed, "pending"))

    async def remove(self, tenant: Tenant, name: str, by: str) -> None:
        del tenant, by
        if name not in {one.id for one in self.found}:
            raise InvalidInputError.of("id", "It is not there any more.")
        self.found = [one for one in self.found if one.id != name]


class FakeManaged(ManagedWorkspaces):
    """The workspace of the fake billing, for its owner."""

    def __init__(self, billing: FakeBilling, *others: Tenant, role: Role = Role.OWNER) -> None:
        self.sold = billing
        self.is_on = billing.is_on
        self.others = others
        self.role = role

    async def visit(self, holder: Holder | None) -> Visit:
        self.check_on()
        if holder is None:
            raise NoAccountSessionError
        workspace = self.sold.workspace
        assert holder.uid == workspace.metadata.uid
        return Visit(tenant=workspace, role=self.role, email=holder.email)

    async def of(self, email: str) -> list[Tenant]:
        return [self.sold.workspace, *self.others] if email else []


class FakePeople(WorkspacePeople):
    """Managers of the one workspace."""

    def __init__(self, *emails: str) -> None:
        self.managers = [Manager(email=one, named_by=OWNER, named_at=NOW) for one in emails]

    async def all(self, visit: Visit) -> tuple[Manager, ...]:
        del visit
        return tuple(self.managers)

    async def name(self, visit: Visit, typed: str) -> str:
        visit.require_owner()
        if problem := email_problem(typed):
            raise InvalidInputError.of("email", problem)
        if typed in [one.email for one in self.managers]:
            raise ConflictError(f"{typed} manages the workspace already.")
        self.managers.append(Manager(email=typed, named_by=visit.actor, named_at=NOW))
        return typed

    async def remove(self, visit: Visit, email: str) -> None:
        visit.require_owner()
        self.managers = [one for one in self.managers if one.email != email]


class FakeAccounts(AccountSessions):
    """Takes the one link `good`; the cookie `acme` is its session."""

    def __init__(self) -> None:
        self.closed: list[str | None] = []
        self.chosen: list[Holder] = []

    async def open(self, secret: str) -> Cookie:
        if secret != "good":
            raise LinkSpentError
        return host_cookie(COOKIE, "acme", 60)

    async def read(self, value: str | None) -> Holder | None:
        return Holder("acme", "uid-acme", OWNER) if value == "acme" else None

    async def choose(self, value: str, holder: Holder) -> None:
        assert value == "acme"
        self.chosen.append(holder)

    async def close(self, value: str | None) -> Cookie:
        self.closed.append(value)
        return host_cookie(COOKIE, "", 0)


class FromWorkspace(FakeAccounts):
    """The session of who came from the workspace itself."""

    async def read(self, value: str | None) -> Holder | None:
        return Holder("acme", "uid-acme") if value else None


class FakeTickets(AccountTickets):
    """Takes the one ticket `good.ticket`."""

    def __init__(self) -> None:
        """Without a cluster."""

    async def open(self, ticket: str) -> Cookie:
        if ticket != "good.ticket":
            raise LinkSpentError
        return host_cookie(COOKIE, "acme", 60)


class OpenAccounts(FakeAccounts):
    """Everybody has a session: for looking at pages."""

    async def read(self, value: str | None) -> Holder | None:
        return await super().read(value or "acme")


class FakeUsage(WorkspaceUsage):
    """What it is given."""

    def __init__(self, records: int = 1_200, limit: int | None = 10_000) -> None:
        self.known: Usage | None = Usage(Meter(records, limit), Meter(3, 5), Meter(5 * 1024**3, None))

    async def read(self, tenant: Tenant) -> Usage | None:
        return None if tenant.spec.suspended else self.known


class FakeDeletion(WorkspaceDeletion):
    """Takes the deletion of a workspace unless something comes first, and brings back what is its owner's."""

    def __init__(self, *deleted: DeletedTenant, first: str = "", refusal: WebError | None = None) -> None:
        self.kept = deleted
        self.first = first
        self.refusal = refusal
        self.done: list[tuple[str, str]] = []

    def undo_days(self, tenant: Tenant) -> int:
        del tenant
        return 14

    async def hindrance(self, tenant: Tenant) -> str:
        del tenant
        return self.first

    async def delete(self, visit: Visit, typed: str) -> None:
        visit.require_owner()
        check_confirmed(typed, visit.tenant.spec.slug or "")
        if self.first:
            raise ConflictError(self.first)
        self.done.append(("delete", visit.tenant.name))

    async def deleted(self, email: str) -> tuple[DeletedTenant, ...]:
        return tuple(one for one in self.kept if email and one.owner_email == email)

    async def bring_back(self, email: str, ident: str) -> DeletedTenant:
        found = next((one for one in await self.deleted(email) if one.id == ident), None)
        if found is None:
            raise DeletedNotFoundError
        if self.refusal:
            raise self.refusal
        self.done.append(("bring back", ident))
        return found


class FakePersonalData(PersonalDataService):
    """Says whose it was asked for."""

    def __init__(self) -> None:
        """Without a database."""

    async def of(self, email: str) -> PersonalData:
        return PersonalData(email=email, as_of=NOW, signups=(), owns=(), manages=(), acts=())


class FakeLinks(AccountLinks):
    """Takes three requests for a workspace."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, slug: str, address: str) -> None:
        del address
        if problem := slug_problem(slug):
            raise InvalidInputError.of("slug", problem)
        self._note(slug)

    async def ask_by_email(self, email: str, address: str) -> None:
        del address
        if problem := email_problem(email):
            raise InvalidInputError.of("email", problem)
        self._note(email)

    def _note(self, asked: str) -> None:
        if self.asked.count(asked) >= 3:
            raise TooManyRequestsError("Too many mails were asked for.", 3600)
        self.asked.append(asked)
