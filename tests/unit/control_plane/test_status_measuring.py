"""What each component of the status page is measured by."""

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest
from unit.control_plane.builders import NOW, spare, tenant, tenant_body
from vivero_control.domain.billing.errors import ProviderRefusedError
from vivero_control.domain.status.measuring import ASKED, LISTED_FOR, Probe, Probes, StatusTask, is_in_service
from vivero_control.domain.status.schemas import Component, ComponentState
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_core.errors import ViveroError
from vivero_core.model.tenant import Tenant
from vivero_web.errors import UnavailableError

GOOD, SLOW, DOWN, _ = ComponentState


class FakeIngress:
    """Workspaces that do not answer, each for so many times."""

    def __init__(self, **silent: int) -> None:
        self.silent = silent
        self.asked: list[str] = []
        self.answer: int | None = 200

    async def status(self, host: str, path: str) -> int | None:
        self.asked.append(host + path)
        return self.answer

    async def probe(self, slug: str, _: str) -> bool:
        self.asked.append(slug)
        self.silent[slug] = self.silent.get(slug, 0) - 1
        return self.silent[slug] < 0


class FakeTenants:
    def __init__(self, *tenants: Tenant) -> None:
        self.tenants = list(tenants)
        self.away = False
        self.lists = 0

    async def all(self) -> list[Tenant]:
        if self.away:
            raise ClusterUnavailableError
        self.lists += 1
        return self.tenants


def proven(name: str, recovery: dict[str, Any] | None = None, **spec: Any) -> Tenant:  # noqa: ANN401  as tenant_body
    body = tenant_body(name, **spec)
    body["status"] |= {"provenAt": NOW.isoformat(), **({"recovery": recovery} if recovery else {})}
    return Tenant.parse(body)


def probes(ingress: FakeIngress, tenants: FakeTenants, provider: Any = None) -> Probes:  # noqa: ANN401  an asynchronous function
    parts = (cast("Any", one) for one in (None, tenants, ingress))
    database, known, way = parts
    return Probes(database=database, tenants=known, ingress=way, host="vivero.localhost", ask_provider=provider)


def test_only_workspaces_whose_owners_expect_an_answer_are_asked() -> None:
    assert is_in_service(proven("acme"))
    assert not is_in_service(tenant("new"))
    assert not is_in_service(proven("closed", suspended={"reason": "Unpaid"}))
    assert not is_in_service(spare())


async def test_some_workspaces_are_asked_each_twice_if_need_be() -> None:
    many = [proven(f"t{number}") for number in range(3 * ASKED)]
    ingress = FakeIngress()
    assert await probes(ingress, FakeTenants(*many)).workspaces(NOW) is GOOD
    assert len(ingress.asked) == len(set(ingress.asked)) == ASKED
    one = FakeTenants(proven("acme"))
    assert await probes(FakeIngress(acme=1), one).workspaces(NOW) is GOOD, "it may just have restarted"
    assert await probes(FakeIngress(acme=2), one).workspaces(NOW) is DOWN
    assert await probes(FakeIngress(a=2), FakeTenants(proven("a"), proven("b"))).workspaces(NOW) is SLOW
    assert await probes(FakeIngress(), FakeTenants()).workspaces(NOW) is None


async def test_a_list_of_tenants_serves_for_some_minutes() -> None:
    known = FakeTenants(proven("acme"))
    made = probes(FakeIngress(), known)
    for minutes in range(5):
        await made.workspaces(NOW + timedelta(minutes=minutes))
        await made.backups(NOW + timedelta(minutes=minutes))
    assert known.lists == 1
    await made.workspaces(NOW + LISTED_FOR)
    assert known.lists == 2


@pytest.mark.parametrize(
    ("recoveries", "state"),
    [
        ([{}], None),
        ([{"to": 10}], GOOD),
        ([{"to": 10}, {"to": 200}], SLOW),
        ([{"to": 200}], DOWN),
        ([{"to": 10, "proofResult": "Failed"}], DOWN),
        ([{"to": 10, "proofResult": "Passed"}], GOOD),
        ([{"proofResult": "Refused"}], DOWN),
    ],
)
async def test_backups_are_as_good_as_their_archives(
    recoveries: list[dict[str, Any]], state: ComponentState | None
) -> None:
    made = []
    for number, known in enumerate(recoveries):
        ago = known.get("to")
        stored = known | ({"to": (NOW - timedelta(minutes=ago)).isoformat()} if ago else {})
        made.append(proven(f"t{number}", stored))
    assert await probes(FakeIngress(), FakeTenants(*made)).backups(NOW) is state


async def test_the_api_and_the_provider_answer_or_not() -> None:
    ingress = FakeIngress()
    made = probes(ingress, FakeTenants())
    assert await made.api(NOW) is GOOD
    assert ingress.asked == ["vivero.localhost/api/v1/plans"]
    for answer in (503, 404, None):
        ingress.answer = answer
        assert await made.api(NOW) is DOWN
    assert await made.payments(NOW) is None, "nothing is sold"

    async def answers() -> None: ...

    async def is_away() -> None:
        raise UnavailableError

    assert await probes(ingress, FakeTenants(), answers).payments(NOW) is GOOD

    async def refuses() -> None:
        raise ProviderRefusedError

    assert await probes(ingress, FakeTenants(), is_away).payments(NOW) is DOWN
    assert await probes(ingress, FakeTenants(), refuses).payments(NOW) is DOWN


class CannotAnswerError(ViveroError):
    """One that no probe says it raises."""


async def test_what_cannot_be_asked_is_not_measured_and_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivero_control.domain.status.measuring.SECONDS", 0.01)
    cluster_away = FakeTenants()
    cluster_away.away = True
    made = probes(FakeIngress(), cluster_away)

    async def hangs(_: object) -> ComponentState:
        await asyncio.Event().wait()
        return GOOD

    async def fails(_: object) -> ComponentState:
        raise CannotAnswerError

    asked: dict[Component, Probe] = {
        Component.WORKSPACES: made.workspaces,
        Component.BACKUPS: fails,
        Component.API: made.api,
        Component.PAYMENTS: hangs,
    }
    written: list[tuple[Component, ComponentState]] = []

    class Days:
        async def count(self, component: Component, _: object, state: ComponentState) -> None:
            written.append((component, state))

    class Nothing:
        def transaction(self) -> "Nothing":
            return self

        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr("vivero_control.domain.status.measuring.StatusDayRepository", lambda _: Days())
    task = StatusTask(cast("Any", Nothing()), asked, lambda: NOW)
    await task.run()
    await task.run()
    assert written == [(Component.API, GOOD)]
