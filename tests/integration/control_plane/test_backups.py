"""Backups and restores over the API and on the pages: objects in a real cluster, keys and entries in a real database."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from integration.control_plane.support import ADMIN, PASSWORD, add_member, eventually, log_in
from vivero_control import composition
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT, of_model
from vivero_core.model.constants import API_VERSION
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore

BACKUP, RESTORE = of_model(TenantBackup), of_model(TenantRestore)
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
async def tenant(kube: KubeClient) -> AsyncIterator[str]:
    """One that is never provisioned, for it has no plan: what is asked for waits, and leaves nothing."""
    name = f"kept-{secrets.token_hex(4)}"
    spec = {"displayName": "Kept", "slug": name, "plan": "no-such-plan", "owner": {"email": "owner@example.com"}}
    body = {"apiVersion": API_VERSION, "kind": "Tenant", "metadata": {"name": name}, "spec": spec}
    made = await kube.create(body)
    yield name
    for resource in (BACKUP, RESTORE):
        for one in (await kube.list(resource)).items:
            if one["spec"]["tenant"] == name:
                await kube.delete(resource, one["metadata"]["name"], uid=one["metadata"]["uid"])
    await kube.delete(TENANT, name, uid=made["metadata"]["uid"])


@pytest.fixture
async def support(client: httpx.Client, infrastructure: composition.Infrastructure) -> dict[str, str]:
    """Headers of somebody who is no admin."""
    member = await add_member(infrastructure, "support")
    token = (await asyncio.to_thread(log_in, client, member.email, PASSWORD)).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


async def objects(kube: KubeClient, resource: Any, tenant: str) -> list[dict[str, Any]]:  # noqa: ANN401  a Resource
    return [one for one in (await kube.list(resource)).items if one["spec"]["tenant"] == tenant]


def restore_of(name: str, **changes: object) -> dict[str, Any]:
    return {"reason": "They asked for it.", "target": {"slug": f"{name}-then"}, **changes}


async def test_a_backup_is_an_object_made_once_for_its_key(
    staff: httpx.Client, tenant: str, kube: KubeClient, sql: Sql
) -> None:
    at, key = f"/api/v1/tenants/{tenant}/backups", {"Idempotency-Key": secrets.token_hex(8)}
    first = staff.post(at, json={"reason": "before the migration"}, headers=key)
    assert first.status_code == 202, first.text
    again = staff.post(at, json={"reason": "before the migration"}, headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    [made] = await objects(kube, BACKUP, tenant)
    name = first.json()["name"]
    assert (made["metadata"]["name"], made["spec"]) == (name, {"tenant": tenant})
    assert first.headers["location"] == f"{at}/{name}"
    assert staff.get(first.headers["location"]).json()["name"] == name
    assert [one["name"] for one in staff.get(at).json()["items"]] == [name]
    eventually(lambda: staff.get(f"{at}/{name}").json()["reason"] == "Provisioning")
    assert staff.get(f"{at}/{name}").json()["state"] == "waiting"
    entries = sql("SELECT action, actor, reason, outcome FROM audit WHERE subject = %s", f"tenant/{tenant}")
    assert entries == [("back-up", ADMIN[0], "before the migration", "done")]
    other = staff.post(at, json={"reason": "another"}, headers=key)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_ten_at_once_with_one_key_make_one(
    server: str, staff: httpx.Client, tenant: str, kube: KubeClient, sql: Sql
) -> None:
    headers = {**staff.headers, "Idempotency-Key": secrets.token_hex(8)}
    async with httpx.AsyncClient(base_url=server, headers=headers, timeout=30) as sender:
        asked = [sender.post(f"/api/v1/tenants/{tenant}/backups", json={}) for _ in range(10)]
        answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["name"] for answer in answers if answer.status_code == 202}) == 1
    assert len(await objects(kube, BACKUP, tenant)) == 1
    assert len(sql("SELECT id FROM audit WHERE subject = %s", f"tenant/{tenant}")) == 1


async def test_a_restore_is_an_object_that_names_second_and_target(
    staff: httpx.Client, tenant: str, kube: KubeClient, sql: Sql
) -> None:
    at = f"/api/v1/tenants/{tenant}/restores"
    part = staff.post(at, json=restore_of(tenant, time="2026-11-20T14:05:09.7+02:00"))
    assert (part.status_code, part.json()["errors"][0]["field"]) == (422, "time"), "nothing is rounded"
    answer = staff.post(at, json=restore_of(tenant, time="2026-11-20T14:05:09+02:00"))
    assert answer.status_code == 202, answer.text
    [made] = await objects(kube, RESTORE, tenant)
    target = {"tenant": f"{tenant}-then", "slug": f"{tenant}-then"}
    assert made["spec"] == {"tenant": tenant, "time": "2026-11-20T12:05:09Z", "target": target}
    found = staff.get(answer.headers["location"]).json()
    assert (found["target"], found["time"], found["state"]) == (f"{tenant}-then", "2026-11-20T12:05:09Z", "waiting")
    [(action, reason)] = sql("SELECT action, reason FROM audit WHERE subject = %s", f"tenant/{tenant}")
    assert (action, reason) == ("bring-back", "They asked for it.")
    taken = staff.post(at, json=restore_of(tenant))
    assert taken.status_code == 422
    assert [one["field"] for one in taken.json()["errors"]] == ["target.slug"]


async def test_a_restore_in_place_names_a_second_and_no_new_tenant(
    staff: httpx.Client, tenant: str, kube: KubeClient
) -> None:
    at = f"/api/v1/tenants/{tenant}/restores"
    answer = staff.post(at, json=restore_of(tenant, target={"in_place": True}, time="2026-11-20T14:05:09Z"))
    assert answer.status_code == 202, answer.text
    [made] = await objects(kube, RESTORE, tenant)
    assert made["spec"] == {"tenant": tenant, "time": "2026-11-20T14:05:09Z", "target": {"inPlace": True}}
    assert (answer.json()["in_place"], answer.json()["target"]) == (True, None)
    now = staff.post(at, json=restore_of(tenant, target={"in_place": True}))
    assert (now.status_code, now.json()["errors"][0]["field"]) == (422, "time")


async def test_what_cannot_be_brought_back_is_refused_by_field(
    staff: httpx.Client, tenant: str, kube: KubeClient
) -> None:
    at = f"/api/v1/tenants/{tenant}/restores"

    def fields(**changes: object) -> list[str]:
        answer = staff.post(at, json=restore_of(tenant, **changes))
        assert answer.status_code == 422, answer.text
        return [one["field"] for one in answer.json()["errors"]]

    assert fields(backup="none") == ["backup"]
    assert fields(time="2199-01-01T00:00:00Z") == ["time"]
    assert fields(time="1999-01-01T00:00:00Z") == ["time"], "the cluster's own rule"
    assert fields(time="2026-11-20T14:05:09") == ["time"], "without an offset"
    assert fields(target={"slug": "admin"}) == ["target.slug"]
    assert fields(target={"slug": f"{tenant}-x", "tenant": "No Name"}) == ["target.tenant"]
    assert fields(reason="") == ["reason"]
    assert await objects(kube, RESTORE, tenant) == []


async def test_support_reads_and_only_admins_act(
    client: httpx.Client, support: dict[str, str], tenant: str, kube: KubeClient
) -> None:
    for what in ("backups", "restores"):
        at = f"/api/v1/tenants/{tenant}/{what}"
        assert client.get(at).status_code == 401
        assert client.get(at, headers=support).json()["items"] == []
        refused = client.post(at, json={}, headers=support)
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
        assert "Only admins back workspaces up and bring them back" in refused.json()["detail"]
    assert await objects(kube, BACKUP, tenant) == await objects(kube, RESTORE, tenant) == []


def test_of_a_tenant_nobody_has_heard_of_there_is_nothing(staff: httpx.Client, tenant: str) -> None:
    for what in ("backups", "restores"):
        assert staff.get(f"/api/v1/tenants/never-heard-of/{what}").status_code == 404
        assert staff.get(f"/api/v1/tenants/{tenant}/{what}/none").status_code == 404
    assert staff.post("/api/v1/tenants/never-heard-of/backups", json={}).status_code == 404
    assert staff.post("/api/v1/tenants/never-heard-of/restores", json=restore_of("never")).status_code == 404


async def test_what_kubectl_makes_and_deletes_is_followed(staff: httpx.Client, tenant: str, kube: KubeClient) -> None:
    at, name = f"/api/v1/tenants/{tenant}/backups", f"by-hand-{secrets.token_hex(4)}"
    body = {"apiVersion": API_VERSION, "kind": "TenantBackup", "metadata": {"name": name}, "spec": {"tenant": tenant}}
    made = await kube.create(body)
    await asyncio.to_thread(eventually, lambda: staff.get(at).json()["total"] == 1)
    assert staff.get(f"{at}/{name}").json()["scheduled"] is False
    await kube.delete(BACKUP, name, uid=made["metadata"]["uid"])
    await asyncio.to_thread(eventually, lambda: staff.get(at).json()["total"] == 0)
