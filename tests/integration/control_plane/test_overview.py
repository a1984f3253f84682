"""The console's overview, of a real cluster and database."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import httpx
from integration.control_plane.support import Names, TestClock, eventually, signup_body
from vivero_control.domain.billing.policies import Difference
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import DATABASE_SERVER, TENANT_POOL


async def test_it_has_the_servers_the_pools_and_a_tenant_that_just_came(
    staff: httpx.Client, names: Names, kube: KubeClient
) -> None:
    def seen() -> dict[str, int]:
        return staff.get("/api/v1/overview").json()["customers"]["states"]  # type: ignore[no-any-return]  # JSON

    before = sum(seen().values())
    slug = names.new()
    assert staff.post("/api/v1/signups", json=signup_body(slug)).status_code == 202
    eventually(lambda: sum(seen().values()) > before)
    servers = {
        one["metadata"]["name"]: one["spec"].get("capacity", 1000) for one in (await kube.list(DATABASE_SERVER)).items
    }
    pools = {one["metadata"]["name"]: one["spec"]["size"] for one in (await kube.list(TENANT_POOL)).items}
    eventually(lambda: names_of(staff, "servers", "capacity") == servers)
    eventually(lambda: names_of(staff, "pools", "size") == pools)


def test_all_that_was_left_to_people_in_a_week_is_counted(
    staff: httpx.Client, clock: TestClock, sql: Callable[..., object]
) -> None:
    """However many there are; what is mended, and what is older, is not."""

    def seen() -> int:
        return int(staff.get("/api/v1/overview").json()["billing_differences"])

    before, now, customer = seen(), clock().replace(tzinfo=None), uuid4().hex
    sql(
        "INSERT INTO billing_customers (id, tenant_uid, tenant, created_at) VALUES (%s, %s, 'acme', %s)",
        *(customer, customer, now),
    )
    for what, at, amount in (
        (Difference.CHARGED_TWICE, now, 120),
        (Difference.INVOICE, now, 5),
        (Difference.NO_WORKSPACE, now - timedelta(days=8), 3),
    ):
        sql(
            "INSERT INTO billing_differences (customer_id, `key`, what, detail, found_at)"
            " SELECT %s, CONCAT(LEFT(%s, 24), %s, seq), %s, 'x', %s FROM seq_1_to_1000 LIMIT %s",
            *(customer, customer, what[:8], what, at, amount),
        )
    try:
        assert seen() - before == 120
    finally:
        sql("DELETE FROM billing_differences WHERE customer_id = %s", customer)
        sql("DELETE FROM billing_customers WHERE id = %s", customer)


def names_of(staff: httpx.Client, kind: str, figure: str) -> dict[str, int]:
    return {one["name"]: one[figure] for one in staff.get("/api/v1/overview").json()[kind]}
