"""Figures on a real database: from page loads, a signup, its workspace and an invoice to what staff see."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from integration.control_plane.support import Names, TestClock, signup_body
from vivero_control import composition
from vivero_control.db.tables import BillingCustomer, BillingInvoice, BillingSubscription
from vivero_control.domain.accounts.usage import Meter, Signs, Usage
from vivero_control.domain.figures.counting import HELD, JourneyTask, VisitCounter
from vivero_control.domain.figures.repository import OTHER, SOURCES_OF_A_DAY, VisitRepository
from vivero_control.domain.signups.leads import Lead
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant

Ask = Callable[..., list[tuple[Any, ...]]]
Later = Callable[[timedelta], None]


def figures(staff: httpx.Client) -> Any:  # noqa: ANN401  JSON
    answer = staff.get("/api/v1/figures")
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(staff: httpx.Client, tile: str, week: str = "") -> list[dict[str, Any]]:
    answer = staff.get(f"/api/v1/figures/{tile}", params={"week": week})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    assert answer.json()["count"] == len(found)
    return found


NONE = Signs()


@dataclass
class Used:
    """What one workspace says of its use; the others do not answer."""

    uid: str
    records: int = 0
    users: int = 1
    signs: Signs = NONE
    asked: int = 0

    async def read(self, tenant: Tenant) -> Usage | None:
        if tenant.metadata.uid != self.uid:
            return None
        self.asked += 1
        return Usage(Meter(self.records, 10), Meter(self.users, None), Meter(0, 10), self.signs)


async def test_a_signup_is_followed_to_its_first_invoice(
    staff: httpx.Client,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    clock: TestClock,
    later: Later,
) -> None:
    slug, source = names.new(), f"news-{secrets.token_hex(4)}"
    body = signup_body(slug) | {"lead": {"utm_source": source}}
    made = await asyncio.to_thread(staff.post, "/api/v1/signups", json=body)
    assert made.status_code == 202, made.text
    name = made.json()["tenant"]["name"]
    week = figures(staff)["weeks"][0]["week"]

    def mine(tile: str) -> list[dict[str, Any]]:
        return [one for one in rows(staff, tile, week) if one["slug"] == slug]

    (row,) = mine("signup")
    assert (row["provisioned_at"], row["paid_at"], row["source"]) == (None, None, source)
    used = Used(uid="")
    journeys = JourneyTask(infrastructure.database, infrastructure.tenants, used.read, clock)
    await journeys.run()
    assert mine("provisioned") == [], "it was not seen to work"

    tenant = Tenant.parse(await kube.get(TENANT, name))
    proven = {"provenAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")}
    await kube.patch_status(TENANT, name, proven)
    used.uid = tenant.metadata.uid
    await journeys.run()
    (first,) = mine("provisioned")
    assert [mine(stage) for stage in ("first-value", "active", "paid")] == [[], [], []], "nothing is in it yet"
    used.records = 3
    await journeys.run()
    (with_record,) = mine("first-value")
    assert mine("active") == []
    used.records, used.users = 20, 2
    later(timedelta(hours=1))
    await journeys.run()
    later(timedelta(0))
    (active,) = mine("active")
    assert active["first_value_at"] == with_record["first_value_at"] < active["active_at"], "what was seen first stays"
    assert active["provisioned_at"] == first["provisioned_at"]
    used.signs = Signs(imported=True, has_api_key=True, returned=True)
    await journeys.run()
    asked = used.asked
    await journeys.run()
    assert used.asked == asked, "whose use is known is not asked any more"

    await buy(infrastructure, tenant)
    (row,) = mine("paid")
    assert row["paid_at"] is not None
    await kube.delete(TENANT, name, uid=tenant.metadata.uid)
    assert len(mine("paid")) == 1, "also when its Tenant is gone"
    assert [one["paid"] for one in figures(staff)["sources"] if one["source"] == source] == [1]
    assert tenant.name in {one["slug"] for one in rows(staff, "paying")}


async def buy(infrastructure: composition.Infrastructure, tenant: Tenant) -> None:
    now = infrastructure.clock().replace(microsecond=0)
    common = {"currency": "eur", "period_start": now, "period_end": now + timedelta(days=30), "created_at": now}
    customer = BillingCustomer(id=uuid4(), tenant_uid=tenant.metadata.uid, tenant=tenant.name, created_at=now)
    subscription = f"sub_{secrets.token_hex(8)}"
    async with infrastructure.database.transaction() as session:
        session.add(customer)
        await session.flush()
        session.add(
            BillingSubscription(
                id=subscription,
                customer_id=customer.id,
                status="active",
                plan="starter",
                interval="month",
                amount_cents=200_000,
                ends_with_period=False,
                **common,
            )
        )
        session.add(
            BillingInvoice(
                id=f"in_{secrets.token_hex(8)}",
                customer_id=customer.id,
                subscription=subscription,
                status="paid",
                kind="new",
                total_cents=200_000,
                paid_cents=200_000,
                **common,
            )
        )


async def test_page_loads_are_added_up_over_processes_and_bounded(
    infrastructure: composition.Infrastructure, clock: TestClock, sql: Ask, later: Later
) -> None:
    source = f"s-{secrets.token_hex(4)}"
    later(timedelta(days=-40))  # a day of this test alone
    day = clock().date()
    counters = [VisitCounter(infrastructure.database, clock) for _ in range(3)]
    for counter in counters:
        for _ in range(4):
            counter.count(Lead(utm_source=source, utm_campaign="spring"))
        await counter.write()
        await counter.write()

    def counted(name: str) -> int:
        ((visits,),) = sql("SELECT COALESCE(SUM(visits), 0) FROM site_visits WHERE day = %s AND source = %s", day, name)
        return int(visits)

    assert counted(source) == 12
    for number in range(SOURCES_OF_A_DAY + HELD):
        counters[0].count(Lead(utm_source=f"{source}-{number}"))
    await counters[0].close()
    ((sources,),) = sql("SELECT COUNT(*) FROM site_visits WHERE day = %s", day)
    assert sources <= SOURCES_OF_A_DAY + 1
    ((total,),) = sql("SELECT SUM(visits) FROM site_visits WHERE day = %s", day)
    assert int(total) == 12 + SOURCES_OF_A_DAY + HELD, "none is lost"
    assert counted(OTHER) > 0


async def test_old_page_loads_are_deleted(
    infrastructure: composition.Infrastructure, later: Later, clock: TestClock, sql: Ask
) -> None:
    day = clock().date()
    async with infrastructure.database.transaction() as session:
        await VisitRepository(session).count(day, {("direct", ""): 1})
    later(timedelta(days=801))
    await Worker(infrastructure).tidy()
    assert sql("SELECT * FROM site_visits WHERE day = %s", day) == []


async def test_the_worker_measures(staff: httpx.Client, infrastructure: composition.Infrastructure) -> None:
    await Worker(infrastructure).figures.measure()
    assert figures(staff)["churn"]["days"] == 30


def test_figures_are_for_staff_and_a_week_is_a_day(client: httpx.Client, staff: httpx.Client) -> None:
    assert staff.get("/api/v1/figures/happiness").status_code in {404, 422}
    refused = staff.get("/api/v1/figures/signup", params={"week": "soon"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "week")
    del client.headers["Authorization"]
    for path in ("/api/v1/figures", "/api/v1/figures/paying"):
        assert client.get(path).status_code == 401
