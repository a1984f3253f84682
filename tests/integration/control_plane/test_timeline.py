"""A tenant's timeline on a real database: from each source, by cursor, and by ranges of the indexes."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from integration.control_plane.support import Names, make_workspace
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_control import composition
from vivero_control.db.tables import BillingCustomer, BillingInvoice
from vivero_control.domain.notifications import mails
from vivero_control.domain.signups import provisioning
from vivero_control.domain.tenants.policies import tenant_subject
from vivero_control.domain.timeline import repository
from vivero_control.domain.timeline.policies import Place, Source
from vivero_control.domain.timeline.schemas import Kind
from vivero_control.jobs.repository import OutboxRepository
from vivero_core.backends.kube.client import KubeClient
from vivero_core.model.tenant import Tenant
from vivero_web.mail import Mail

Ask = Callable[..., list[tuple[Any, ...]]]
AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
OTHERS = 10_000
OWN = 500


async def entries_of(infrastructure: composition.Infrastructure, tenant: Tenant) -> None:
    """Two mails and a job of one second, one mail of another tenant, and an invoice of the same second."""
    customer, mark = uuid4(), secrets.token_hex(6)
    async with infrastructure.database.transaction() as session:
        for number, subject in enumerate((tenant.name, tenant.name, f"other-{mark}")):
            mail = Mail(key=f"mail.test:{mark}{number}", to="ada@example.com", subject=f"Mail {number}", text="x")
            await mails.enqueue(session, mail, AT, subject=tenant_subject(subject))
        await OutboxRepository(session).enqueue(
            kind=provisioning.KIND,
            key=f"test:{mark}",
            payload={"slug": tenant.name},
            now=AT,
            due_at=AT + timedelta(days=36500),
            subject=tenant_subject(tenant.name),
        )
        session.add(BillingCustomer(id=customer, tenant_uid=tenant.metadata.uid, tenant=tenant.name, created_at=AT))
        await session.flush()
        made = BillingInvoice(
            id=f"in_{mark}",
            customer_id=customer,
            number="F-7",
            status="paid",
            kind="first",
            total_cents=123456,
            paid_cents=123456,
            currency="eur",
            period_start=AT,
            period_end=AT,
            created_at=AT,
        )
        session.add(made)


@pytest.fixture
async def tenant(
    infrastructure: composition.Infrastructure, kube: KubeClient, names: Names, sql: Ask
) -> AsyncIterator[Tenant]:
    made = await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=9))
    await entries_of(infrastructure, made)
    yield made
    sql("DELETE FROM outbox WHERE subject = %s", tenant_subject(made.name))
    sql("DELETE FROM outbox WHERE `key` LIKE 'mail.test:%%' AND subject LIKE 'tenant/other-%%'")
    sql(
        "DELETE i FROM billing_invoices i JOIN billing_customers c ON c.id = i.customer_id WHERE c.tenant = %s",
        made.name,
    )
    sql("DELETE FROM billing_customers WHERE tenant = %s", made.name)


def settled(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without conditions, which an operator may change meantime."""
    return [one for one in found if one["kind"] != Kind.STATE]


def walked(staff: httpx.Client, name: str, kind: str = "") -> list[dict[str, Any]]:
    """All pages of two."""
    found, cursor = list[dict[str, Any]](), ""
    while True:
        answer = staff.get(f"/api/v1/tenants/{name}/timeline", params={"limit": 2, "cursor": cursor, "kind": kind})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if (cursor := answer.json()["next_cursor"] or "") == "":
            return found


async def test_each_source_is_in_it_and_pages_lead_through_all_once(staff: httpx.Client, tenant: Tenant) -> None:
    reason = {"reason": "They asked for it.", "kind": "Manual", "message": "Back soon"}
    ordered = await asyncio.to_thread(staff.post, f"/api/v1/tenants/{tenant.name}/suspend", json=reason)
    assert ordered.status_code < 300, ordered.text
    path = f"/api/v1/tenants/{tenant.name}/timeline"
    whole = (await asyncio.to_thread(staff.get, path, params={"limit": 200})).json()
    assert whole["next_cursor"] is None
    assert settled(await asyncio.to_thread(walked, staff, tenant.name)) == settled(whole["items"])
    told = {(one["kind"], one["what"], one["state"]) for one in whole["items"]}
    assert told >= {
        ("act", "Suspend", "done"),
        ("mail", "Mail “Mail 0”", "queued"),
        ("mail", "Mail “Mail 1”", "queued"),
        ("job", "New workspace", "queued"),
        ("invoice", "Invoice F-7 over 1,234.56 EUR", "paid"),
    }
    assert not any("Mail 2" in one["what"] for one in whole["items"]), "that is of another tenant"
    assert [one["at"] for one in whole["items"]] == sorted((one["at"] for one in whole["items"]), reverse=True)
    for kind in set(Kind) - {Kind.STATE}:
        same = [one for one in whole["items"] if one["kind"] == kind]
        assert await asyncio.to_thread(walked, staff, tenant.name, kind.value) == same


async def test_what_is_asked_wrongly_is_refused(staff: httpx.Client, client: httpx.Client, tenant: Tenant) -> None:
    path = f"/api/v1/tenants/{tenant.name}/timeline"
    for asked, field in (({"kind": "all"}, "kind"), ({"cursor": "1.2"}, "cursor"), ({"limit": 0}, "limit")):
        answer = await asyncio.to_thread(staff.get, path, params=asked)
        assert answer.status_code in {400, 422}, answer.text
        assert field in answer.text
    unknown = await asyncio.to_thread(staff.get, "/api/v1/tenants/never-heard-of/timeline")
    assert unknown.status_code == 404
    del client.headers["Authorization"]
    assert (await asyncio.to_thread(client.get, path)).status_code == 401


@pytest.fixture
def crowded(sql: Ask) -> Iterator[str]:
    """Name of a tenant of which there is much, and of others much more."""
    name = f"crowd-{secrets.token_hex(4)}"
    for subject, count in ((tenant_subject(name), OWN), (f"tenant/{name}-other", OTHERS)):
        sql(
            "INSERT INTO audit (at, actor, action, subject, reason, detail, outcome, request_id)"
            " SELECT '2026-11-01' + INTERVAL seq MINUTE, 'a', 'suspend', %s, '', '{}', 'done', ''"
            " FROM seq_1_to_10000 WHERE seq <= %s",
            subject,
            count,
        )
        sql(
            "INSERT INTO outbox (kind, `key`, subject, state, attempts, due_at, created_at)"
            " SELECT 'mail.send', CONCAT(%s, seq), %s, 'done', 1, '2026-11-01', '2026-11-01' + INTERVAL seq MINUTE"
            " FROM seq_1_to_10000 WHERE seq <= %s",
            f"{subject}:",
            subject,
            count,
        )
    sql("ANALYZE TABLE audit, outbox")
    yield name
    for table in ("audit", "outbox"):
        sql(f"DELETE FROM {table} WHERE subject LIKE %s", f"tenant/{name}%")  # noqa: S608  names of ours


async def plan(session: AsyncSession, statement: Select[Any]) -> dict[str, Any]:
    """How the database would read it."""
    connection = await session.connection()
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    values = tuple(compiled.params[name] for name in compiled.positiontup or ())
    rows = (await connection.exec_driver_sql(f"EXPLAIN {compiled}", values)).mappings().all()
    assert len(rows) == 1
    return dict(rows[0])


@pytest.mark.parametrize("source", [None, *Source])
async def test_a_page_is_a_range_of_an_index(
    infrastructure: composition.Infrastructure, crowded: str, source: Source | None
) -> None:
    place = Place(datetime(2026, 11, 1, 4, tzinfo=UTC), source, "7") if source is not None else None
    subject = tenant_subject(crowded)
    async with infrastructure.database.transaction() as session:
        acts = await plan(session, repository.acts(subject, place, 51))
        jobs = await plan(session, repository.jobs(subject, [mails.KIND, provisioning.KIND], place, 51))
    assert (acts["key"], jobs["key"]) == ("ix_audit_subject_at", "ix_outbox_subject")
    for found in (acts, jobs):
        assert "filesort" not in found["Extra"]
        assert int(found["rows"]) <= OWN * 2
