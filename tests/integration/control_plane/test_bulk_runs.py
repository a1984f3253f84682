"""Orders for all tenants that match, on the real cluster: each once, whatever dies in between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.support import Names, make_workspace
from vivero_control import composition
from vivero_control.domain.bulk_runs.jobs import BulkOrderJob
from vivero_control.domain.bulk_runs.schemas import Matching, NewRun, OthersMatchError, RunView
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.bulk import BulkAction, Order, Outcome
from vivero_control.services import Services
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant

ADA = StaffView(id="00000000-0000-0000-0000-000000000001", email="ada@vivero.localhost", role="admin")
PATH = "/api/v1/tenant-orders/matching"
Ask = Callable[..., list[tuple[Any, ...]]]


@dataclass
class Many:
    """Workspaces that one search finds."""

    services: Services
    kube: KubeClient
    job: BulkOrderJob
    word: str
    tenants: list[Tenant]

    def new(self, count: int, **changes: Any) -> NewRun:  # noqa: ANN401  fields of NewRun
        wanted: dict[str, Any] = {"action": BulkAction.SUSPEND, "reason": "They have not paid.", "count": count}
        return NewRun(matching=Matching(search=self.word), **(wanted | changes))

    async def suspended(self) -> list[bool]:
        now = [Tenant.parse(await self.kube.get(TENANT, one.name)) for one in self.tenants]
        return [one.spec.suspended is not None for one in now]

    async def perform(self, run: RunView, tenant: Tenant) -> None:
        await self.job.perform({"run": run.id, "tenant": tenant.name})


@pytest.fixture
async def many(infrastructure: composition.Infrastructure, kube: KubeClient, names: Names) -> AsyncIterator[Many]:
    ends, word = datetime.now(UTC) + timedelta(days=9), names.new()
    made = [await make_workspace(kube, f"{word}-{one}", ends) for one in range(4)]
    names.used += [one.spec.slug or "" for one in made]
    async with infrastructure.watching():
        async with asyncio.timeout(60):
            while not all((one := infrastructure.directory.get(each.name)) and one.status.id for each in made):  # noqa: ASYNC110  the list says nothing
                await asyncio.sleep(0.05)
        job = BulkOrderJob(infrastructure.database, composition.tenant_service(infrastructure))
        yield Many(composition.services(infrastructure), kube, job, word, made)


async def test_all_that_match_are_suspended_and_each_is_audited(
    many: Many, drain: Callable[[], Awaitable[None]], sql: Ask
) -> None:
    order = Order(action=BulkAction.SUSPEND, reason="They have not paid.")
    found = many.services.bulk_runs.preview(Matching(search=many.word), order)
    assert [one.name for one in found.of(Outcome.POSSIBLE)] == [one.name for one in many.tenants]
    run = await many.services.bulk_runs.give(many.new(4), ADA)
    assert (run.total, run.waiting) == (4, 4)
    await drain()
    run = await many.services.bulk_runs.get(run.id)
    assert (run.done, run.waiting, run.refused, run.left) == (4, 0, 0, ())
    assert await many.suspended() == [True] * 4
    for one in many.tenants:
        acts = sql("SELECT actor, outcome FROM audit WHERE subject = %s AND action = 'suspend'", f"tenant/{one.name}")
        assert acts == [(ADA.email, "done")]
    with pytest.raises(OthersMatchError):
        await many.services.bulk_runs.give(many.new(4), ADA)


async def test_one_that_changed_since_is_left_and_said_and_the_others_are_not_kept(many: Many) -> None:
    run = await many.services.bulk_runs.give(many.new(4), ADA)
    changed, *others = many.tenants
    await many.kube.patch(TENANT, changed.name, {"spec": {"displayName": "Another Name"}})
    for one in many.tenants:
        await many.perform(run, one)
    found = await many.services.bulk_runs.get(run.id)
    assert (found.done, found.refused, [one.tenant for one in found.left]) == (3, 1, [changed.name])
    assert "was changed meanwhile" in found.left[0].message
    assert await many.suspended() == [False] + [True] * len(others)


async def test_a_worker_that_died_before_the_note_has_done_it_once(many: Many, sql: Ask) -> None:
    run = await many.services.bulk_runs.give(many.new(4), ADA)
    one = many.tenants[0]
    await many.perform(run, one)
    sql("UPDATE bulk_items SET state = 'waiting' WHERE run_id = %s AND tenant = %s", run.id, one.name)
    await many.perform(run, one)
    await many.perform(run, one)
    found = await many.services.bulk_runs.get(run.id)
    assert (found.done, found.waiting, found.refused) == (1, 3, 0)
    acts = sql("SELECT outcome FROM audit WHERE subject = %s AND action = 'suspend'", f"tenant/{one.name}")
    assert acts == [("done",)]


async def test_one_whose_cluster_is_silent_for_good_is_given_up_and_can_be_tried_again(
    many: Many, infrastructure: composition.Infrastructure
) -> None:
    run = await many.services.bulk_runs.give(many.new(4), ADA)
    payload = {"run": run.id, "tenant": many.tenants[0].name}
    async with infrastructure.database.transaction() as session:
        await many.job.on_given_up(session, payload, None)
    found = await many.services.bulk_runs.get(run.id)
    assert (found.given_up, found.left[0].message) == (1, "The cluster did not answer in time.")
    async with infrastructure.database.transaction() as session:
        await many.job.on_replay(session, payload)
    await many.perform(run, many.tenants[0])
    assert (await many.services.bulk_runs.get(run.id)).done == 1


async def test_the_api_follows_an_order(many: Many, staff: httpx.Client) -> None:
    body = {
        "action": "suspend",
        "matching": {"search": many.word},
        "count": 3,
        "reason": "They have not paid.",
    }
    answer = await asyncio.to_thread(staff.post, PATH, json=body)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "others-match")
    answer = await asyncio.to_thread(staff.post, PATH, json=body | {"count": 4})
    assert answer.status_code == 202, answer.text
    followed = await asyncio.to_thread(staff.get, answer.headers["location"])
    assert followed.json()["total"] == 4
    nothing = body | {"matching": {"search": "zzz-no-such-word"}}
    answer = await asyncio.to_thread(staff.post, PATH, json=nothing)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "matching")
    assert (await asyncio.to_thread(staff.get, f"{PATH}/999999999")).status_code == 404
