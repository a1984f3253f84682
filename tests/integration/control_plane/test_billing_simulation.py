"""A simulated month, and a year behind `full`: customers who buy, change, cancel, do not pay and pay; messages that come
twice, late and in another order; a worker that is killed. No workspace is open or closed wrongly, and no cent differs.

What is right is read from the stand-in's own ledger, by other rules than the program's: who has access by the status
that the provider gives a subscription, which plan by what was billed last.
"""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import pytest
from integration.control_plane.support import DOMAIN, Names, TestClock, make_workspace
from support.payments import WEBHOOK_SECRET, Payments
from vivero_control import composition
from vivero_control.domain.billing.repository import AccountRepository
from vivero_control.domain.billing.schemas import Interval
from vivero_control.domain.billing.stripe import Stripe
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.services import Services
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant
from vivero_dev.payments.objects import Object
from vivero_dev.payments.webhooks import signature
from vivero_web.errors import ConflictError

Ask = Callable[..., list[tuple[Any, ...]]]
HOUR: Final = 3600
WHO: Final = "owner@example.com"
OPEN: Final = {"active", "past_due", "trialing"}
PLACES: Final = (
    (Stripe, "account"),
    (TenantRepository, "find"),
    (AccountRepository, "replace"),
    (TenantRepository, "patch"),
)
"""Where the worker is killed, before or behind."""


class KilledError(Exception):
    """The worker ends here."""


@dataclass
class Business:
    """Some workspaces, what the provider has of them, and its messages that are under way."""

    services: Services
    infrastructure: composition.Infrastructure
    standin: Payments
    clock: TestClock
    kube: KubeClient
    workspaces: list[Tenant]
    draw: random.Random
    read: int = 0
    under_way: list[tuple[int, Object]] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)

    def note(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1

    def owned(self, kind: dict[str, Object], tenant: Tenant) -> list[Object]:
        """What the ledger has for a workspace, the oldest first."""
        ledger = self.standin.ledger
        uid = tenant.metadata.uid
        names = {one["id"] for one in ledger.customers.values() if one["metadata"]["tenant_uid"] == uid}
        return [one for one in kind.values() if one["customer"] in names]

    async def act(self, tenant: Tenant) -> None:
        """Something that this customer may do now; what is refused changes nothing."""
        ledger, draw, changes = self.standin.ledger, self.draw, self.services.plan_changes
        subscriptions = self.owned(ledger.subscriptions, tenant)
        plan, interval = draw.choice(["starter", "professional"]), draw.choice([*Interval, Interval.MONTH])
        what = draw.choice(
            ["change", "change", "keep", "cancel", "resume", "card", "pay", "pause", "take back", "restart"]
        )
        with suppress(ConflictError):
            if all(one["status"] == "canceled" for one in subscriptions):
                page = await self.services.billing.checkout(tenant, plan, interval, f"https://{DOMAIN}:8443/account")
                ledger.pay_session(page.rpartition("/")[2], draw.choice(["pays", "pays", "fails-later"]))
                self.note("bought")
                return
            match what:
                case "change":
                    shown = await changes.preview(tenant, plan, interval)
                    cents = shown.cost.total_cents
                    await changes.change(tenant, plan, interval, at=shown.at, cents=cents, by=WHO)
                    charged = self.owned(ledger.invoices, tenant)[-1]
                    assert shown.moment == "period-end" or charged["total"] == cents, "charged is what was shown"
                case "keep":
                    await changes.keep(tenant, WHO)
                case "cancel":
                    await changes.cancel(tenant, "other", "", WHO)
                case "resume":
                    await changes.resume(tenant, WHO)
                case "pause" | "take back" | "restart":
                    await self._pausing(what, tenant)
                case "card":
                    ledger.use_card(subscriptions[-1]["customer"], draw.choice(["pays", "fails-later"]))
                case _:
                    for owed in self.owned(ledger.invoices, tenant):
                        if owed["status"] == "open":
                            ledger.pay_invoice(owed["id"], "pays")
            self.note(what)

    async def _pausing(self, what: str, tenant: Tenant) -> None:
        """A pause from the end of the period on, and its end."""
        ledger, pauses = self.standin.ledger, self.services.plan_pauses
        if what == "pause":
            ends = self.owned(ledger.subscriptions, tenant)[-1]["items"]["data"][0]["current_period_end"]
            starts = datetime.fromtimestamp(ends, UTC)
            await pauses.pause(tenant, self.draw.choice([1, 1, 2]), starts_at=starts, by=WHO)
        elif what == "take back":
            await pauses.take_back(tenant, WHO)
        else:
            found = await pauses.preview_restart(tenant)
            await pauses.restart(tenant, at=found.at, cents=found.cost.total_cents, by=WHO)
            charged = self.owned(ledger.invoices, tenant)[-1]
            assert charged["total"] == found.cost.total_cents, "charged is what was shown"

    async def deliver(self, step: int) -> None:
        """The messages that arrive now: some late, some twice, in any order."""
        events = self.standin.ledger.events
        for event in events[self.read :]:
            self.under_way += [(step + self.draw.choice([0, 0, 0, 1, 3]), event)] * self.draw.choice([1, 1, 2])
        self.read = len(events)
        arriving = [event for due, event in self.under_way if due <= step]
        self.under_way = [(due, event) for due, event in self.under_way if due > step]
        self.draw.shuffle(arriving)
        for event in arriving:
            body = json.dumps(event).encode()

            async def sent(body: bytes = body) -> bytes:
                return body

            await self.services.billing.receive(signature(WEBHOOK_SECRET, body, int(self.clock().timestamp())), sent)

    async def work(self, monkeypatch: pytest.MonkeyPatch, *, killed: bool) -> None:
        """The worker does what is due; if it is killed, it is somewhere in the first of it, and the rest waits."""
        with monkeypatch.context() as patched:
            if killed:
                self.note("killed")
                kill_once(patched, self.draw)
            with suppress(KilledError):
                await Worker(self.infrastructure).drain()

    async def wrong(self) -> list[str]:
        """The workspaces that are not as the provider's ledger has it."""
        return [told for tenant in self.workspaces if (told := await self._wrong(tenant))]

    async def _wrong(self, tenant: Tenant) -> str:
        subscriptions = self.owned(self.standin.ledger.subscriptions, tenant)
        spec = Tenant.parse(await self.kube.get(TENANT, tenant.name)).spec
        found = (spec.plan, spec.suspended.reason if spec.suspended else None)
        if not subscriptions:
            return "" if found == ("trial", None) else f"{tenant.name}: never bought, and is {found}"
        live = [one for one in subscriptions if one["status"] in OPEN]
        assert len(live) < 2, "no customer has two subscriptions at once"
        one = (live or subscriptions)[-1]
        # Of the period that it is in: one whose invoice is void is not paid, and was not to be.
        last = self.owned(self.standin.ledger.invoices, tenant)[-1]
        closed = "SubscriptionPaused" if last["status"] == "void" else None
        wanted = (self._billed(one), closed if live else "Unpaid")
        return "" if found == wanted else f"{tenant.name}: {found} where the ledger has {wanted} ({one['status']})"

    def _billed(self, of: Object) -> str:
        """The plan that the newest invoice of a subscription is for."""
        invoices = self.standin.ledger.invoices.values()
        newest = [one for one in invoices if one["parent"]["subscription_details"]["subscription"] == of["id"]][-1]
        return "professional" if "Professional" in newest["lines"]["data"][-1]["description"] else "starter"

    async def cents(self) -> list[tuple[int, int, int]]:
        """Of each workspace: invoices, cents that are asked, cents that are paid; by our rows, less what the ledger has."""
        return [await self._difference(tenant) for tenant in self.workspaces]

    async def _difference(self, tenant: Tenant) -> tuple[int, int, int]:
        ours = (await self.services.billing.of_tenant(tenant.metadata.uid)).invoices
        theirs = self.owned(self.standin.ledger.invoices, tenant)
        return (
            len(ours) - len(theirs),
            sum(one.total_cents for one in ours) - sum(one["total"] for one in theirs),
            sum(one.paid_cents for one in ours) - sum(one["amount_paid"] for one in theirs),
        )


def kill_once(patched: pytest.MonkeyPatch, draw: random.Random) -> None:
    """The next call at one of PLACES ends the worker, before it or behind it."""
    owner, method = draw.choice(PLACES)
    real, behind, deaths = getattr(owner, method), draw.random() < 0.5, iter([True])

    async def dying(self: Any, *given: Any, **named: Any) -> Any:  # noqa: ANN401  as the method
        dies = next(deaths, False)
        answer = await real(self, *given, **named) if behind or not dies else None
        if dies:
            raise KilledError
        return answer

    patched.setattr(owner, method, dying)


@pytest.mark.parametrize(
    ("days", "customers", "seed"),
    [(35, 4, 17), *(pytest.param(365, 12, seed, marks=pytest.mark.full) for seed in (1, 2, 3))],
)
async def test_access_and_cents_are_the_providers(
    days: int,
    customers: int,
    seed: int,
    sold: composition.Infrastructure,
    standin: Payments,
    clock: TestClock,
    later: Callable[[timedelta], None],
    names: Names,
    kube: KubeClient,
    sql: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = [await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=900)) for _ in range(customers)]
    one = Business(composition.services(sold), sold, standin, clock, kube, made, random.Random(seed))  # noqa: S311  a seed
    synchroniser = composition.synchroniser(sold)
    assert synchroniser is not None
    ends, step = days * 24 * HOUR, 0
    while standin.ledger.ahead < ends:
        step += 1
        hours = one.draw.choice([3, 24, 24])
        standin.ledger.advance(hours * HOUR)
        later(clock.ahead + timedelta(hours=hours))
        for tenant in made:
            if one.draw.random() < 0.3:
                await one.act(tenant)
        killed = one.draw.random() < 0.25
        await one.deliver(step)
        await one.work(monkeypatch, killed=killed)
        if not killed and not one.under_way:
            one.note("right by messages alone")
            assert await one.wrong() == []
        await synchroniser.compare()
        assert await one.wrong() == [], f"day {standin.ledger.ahead / (24 * HOUR):.1f}"
        assert await one.cents() == [(0, 0, 0)] * customers
    assert one.done.keys() >= {"bought", "change", "cancel", "pay", "card", "killed", "right by messages alone"}, (
        one.done
    )
    told = {
        what
        for (what,) in sql(
            "SELECT DISTINCT what FROM billing_differences JOIN billing_customers"
            " ON billing_customers.id = billing_differences.customer_id WHERE tenant IN %s",
            [tenant.name for tenant in made],
        )
    }
    assert told <= {"subscription", "invoice", "access"}, "nothing is for people"
    for of in standin.ledger.subscriptions:
        periods = sorted(
            (line["period"]["start"], line["period"]["end"])
            for bill in standin.ledger.invoices.values()
            if bill["parent"]["subscription_details"]["subscription"] == of
            and bill["billing_reason"] != "subscription_update"
            for line in bill["lines"]["data"]
        )
        assert all(before[0] < after[0] for before, after in pairwise(periods)), "no time is renewed twice"
