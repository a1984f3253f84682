# ruff: noqa: ANN401  what is any JSON value here
"""Circuit breakers, state, mirrors and the controller: what keeps reconciles apart and brings them back."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from reconcile.world import NOW, SERVER, tenant_body
from unit.operator.waiting import until
from vivero_core.errors import BackendAuthenticationError, BackendError, BackendUnavailableError, BackendUnfinishedError
from vivero_core.model.constants import Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.tenant import Tenant
from vivero_operator.errors import FencedError
from vivero_operator.policies import backoff
from vivero_operator.policies.outcome import done
from vivero_operator.reconcile import circuit_breaker
from vivero_operator.reconcile import controller as controllers
from vivero_operator.reconcile.circuit_breaker import CircuitBreaker
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.controller import Controller, Key, Result
from vivero_operator.reconcile.mirror import Mirror
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import FRESH_SECONDS, ReconcileState


def kinds(root: type[BackendError]) -> list[type[BackendError]]:
    """The class and all below it."""
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Server:
    """A backing server by script, and what it was asked."""

    def __init__(self) -> None:
        self.down = False
        self.calls: list[str] = []

    def _answer(self, call: str) -> str:
        self.calls.append(call)
        if self.down:
            raise BackendUnavailableError("mariadb", "connection refused")
        return call

    def ask(self) -> str:
        return self._answer("ask")

    def ping(self) -> None:
        self._answer("ping")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which fault in a row each pause before a probe followed; all of them end soon."""
    faults: list[int] = []

    def probe_delay(count: int, _spread: float) -> float:
        faults.append(count)
        return 0.01

    monkeypatch.setattr(backoff, "probe_delay", probe_delay)
    return faults


@pytest.fixture
def recovered() -> list[str]:
    return []


@pytest.fixture
async def breaker(clock: Clock, server: Server, recovered: list[str]) -> AsyncIterator[CircuitBreaker]:
    breaker = CircuitBreaker("mariadb-main", server.ping, recovered=lambda: recovered.append("back"), clock=clock)
    yield breaker
    breaker.shut_down()


class TestLane:
    async def test_calls_run_in_threads(self, breaker: CircuitBreaker) -> None:
        assert await breaker.call(threading.get_ident) != threading.get_ident()
        assert await breaker.call(max, 1, 2) == 2

    async def test_after_a_fault_calls_fail_fast(
        self, breaker: CircuitBreaker, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.down = True
        for words in ("connection refused", "circuit breaker open", "circuit breaker open"):
            with pytest.raises(BackendUnavailableError, match=words):
                await breaker.call(server.ask)
        assert server.calls == ["ask"]
        assert breaker.is_open
        assert [one.message for one in caplog.records] == ["circuit breaker open: the server is unavailable"]

    async def test_one_probe_at_a_time_until_it_is_back(
        self, breaker: CircuitBreaker, server: Server, delays: list[int], recovered: list[str]
    ) -> None:
        server.down = True
        with pytest.raises(BackendUnavailableError):
            await breaker.call(server.ask)
        await until(lambda: len(server.calls) > 3)
        with pytest.raises(BackendUnavailableError, match="circuit breaker open"):
            await breaker.call(server.ask)
        assert set(server.calls[1:]) == {"ping"}
        assert delays[:3] == [1, 2, 3]
        assert recovered == []
        server.down = False
        await until(lambda: not breaker.is_open)
        assert recovered == ["back"]
        assert await breaker.call(server.ask) == "ask"

    async def test_a_probe_that_is_refused_is_an_answer(
        self, clock: Clock, server: Server, delays: list[int], recovered: list[str]
    ) -> None:
        def refuse() -> None:
            raise BackendAuthenticationError("mariadb", "access denied")

        breaker = CircuitBreaker("mariadb-main", refuse, recovered=lambda: recovered.append("back"), clock=clock)
        server.down = True
        with pytest.raises(BackendUnavailableError):
            await breaker.call(server.ask)
        await until(lambda: recovered == ["back"])
        assert delays == [1]
        breaker.shut_down()

    async def test_one_that_fails_again_at_once_keeps_its_back_off(
        self, breaker: CircuitBreaker, server: Server, clock: Clock, delays: list[int]
    ) -> None:
        """Otherwise one that answers probes and nothing else would be asked forever at the shortest pause."""

        async def fail_and_recover() -> None:
            server.down = True
            with pytest.raises(BackendUnavailableError):
                await breaker.call(server.ask)
            server.down = False
            await until(lambda: not breaker.is_open)

        await fail_and_recover()
        await fail_and_recover()
        clock.now += circuit_breaker.STABLE_SECONDS + 1
        await fail_and_recover()
        assert delays == [1, 2, 1]

    async def test_what_queues_behind_a_fault_is_not_tried(self, breaker: CircuitBreaker) -> None:
        gate, calls = threading.Event(), []

        def slow_fault() -> None:
            calls.append(1)
            gate.wait(5)
            raise BackendUnavailableError("mariadb", "no answer")

        tasks = [asyncio.create_task(breaker.call(slow_fault)) for _ in range(20)]
        await asyncio.sleep(0.05)
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, BackendUnavailableError) for one in results)
        assert len(calls) <= circuit_breaker.THREADS

    @pytest.mark.usefixtures("delays")
    async def test_a_call_that_hung_through_an_outage_begins_no_other(
        self, breaker: CircuitBreaker, server: Server, clock: Clock
    ) -> None:
        gate = threading.Event()

        def hang() -> None:
            gate.wait(5)
            raise BackendUnavailableError("mariadb", "no answer")

        hanging = asyncio.create_task(breaker.call(hang))
        await asyncio.sleep(0)
        server.down = True
        with pytest.raises(BackendUnavailableError):
            await breaker.call(server.ask)
        server.down = False
        clock.now += 1
        await until(lambda: not breaker.is_open)
        gate.set()
        with pytest.raises(BackendUnavailableError):
            await hanging
        assert not breaker.is_open

    async def test_a_signup_does_not_queue_behind_resyncs(self, breaker: CircuitBreaker) -> None:
        gate = threading.Event()
        resyncs = [asyncio.create_task(breaker.call(gate.wait, 5)) for _ in range(3 * circuit_breaker.THREADS)]
        await asyncio.sleep(0.05)

        async def sign_up() -> int:
            circuit_breaker.URGENT.set(True)
            return await breaker.call(max, 1, 2)

        assert await asyncio.wait_for(asyncio.create_task(sign_up()), 10) == 2
        gate.set()
        await asyncio.gather(*resyncs)

    @pytest.mark.usefixtures("delays")
    async def test_a_server_that_hangs_keeps_no_more_than_its_threads_waiting(
        self,
        breaker: CircuitBreaker,
        server: Server,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Calls that all hang open it as well; the probe has a thread of its own."""
        monkeypatch.setattr(circuit_breaker, "QUEUE_SECONDS", 0.05)
        gate = threading.Event()
        hanging = [asyncio.create_task(breaker.call(gate.wait, 5)) for _ in range(circuit_breaker.BACKGROUND_THREADS)]
        await asyncio.sleep(0)
        with pytest.raises(BackendUnavailableError, match="all threads are busy"):
            await breaker.call(max, 1, 2)
        assert not breaker.is_open, "a moment ago a call ended"
        clock.now += 1
        with pytest.raises(BackendUnavailableError, match="all threads are busy"):
            await breaker.call(max, 1, 2)
        assert breaker.is_open
        with pytest.raises(BackendUnavailableError, match="circuit breaker open"):
            await breaker.call(max, 1, 2)
        caplog.set_level("INFO")
        await until(lambda: not breaker.is_open)
        assert server.calls == ["ping"]
        said = ["circuit breaker open: timeout", "circuit breaker closed: the server responds"]
        assert [one.message for one in caplog.records] == said
        gate.set()
        await asyncio.gather(*hanging)

    @pytest.mark.parametrize("error", kinds(BackendError))
    async def test_only_no_answer_opens_it(self, breaker: CircuitBreaker, error: type[BackendError]) -> None:
        """What is about one tenant, or about us, says nothing of the server; checked for every error there is."""

        def fail() -> None:
            raise error("mariadb", "x")

        with pytest.raises(error):
            await breaker.call(fail)
        assert breaker.is_open is (issubclass(error, BackendUnavailableError) and error is not FencedError)

    @pytest.mark.usefixtures("delays")
    async def test_long_work_of_some_leaves_the_lane_to_others(
        self, breaker: CircuitBreaker, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(circuit_breaker, "QUEUE_SECONDS", 0.05)
        gate, running = threading.Event(), list[int]()

        def erase() -> None:
            running.append(1)
            gate.wait(5)
            raise BackendUnfinishedError("s3", "bucket is large: erasing goes on")

        erasing = [asyncio.create_task(breaker.long(erase)) for _ in range(20)]
        await until(lambda: len(running) == circuit_breaker.LONG_THREADS)
        for number in range(20):
            clock.now += 1
            assert await breaker.call(max, 1, number) == max(1, number)
        await until(lambda: sum(task.done() for task in erasing) == 20 - circuit_breaker.LONG_THREADS)
        gate.set()
        results = await asyncio.gather(*erasing, return_exceptions=True)
        assert {type(one) for one in results} == {BackendUnfinishedError, BackendUnavailableError}
        assert all("all threads are busy" in str(one) for one in results if isinstance(one, BackendUnavailableError))
        assert len(running) == circuit_breaker.LONG_THREADS
        assert not breaker.is_open

    async def test_one_that_is_closed_ends_what_runs_and_begins_nothing(self, breaker: CircuitBreaker) -> None:
        gate, closed = threading.Event(), threading.Event()
        running = [asyncio.create_task(breaker.call(gate.wait, 5)) for _ in range(3 * circuit_breaker.THREADS)]
        await asyncio.sleep(0.05)
        breaker.shut_down(closed.set)
        breaker.shut_down(closed.set)
        with pytest.raises(BackendUnavailableError, match="were changed"):
            await breaker.call(max, 1, 2)
        await asyncio.sleep(0.01)
        assert not closed.is_set()
        gate.set()
        results = await asyncio.gather(*running, return_exceptions=True)
        assert sum(one is True for one in results) == circuit_breaker.BACKGROUND_THREADS
        assert {type(one) for one in results} == {bool, BackendUnavailableError}
        await until(closed.is_set)

    async def test_one_that_is_idle_closes_at_once(self, breaker: CircuitBreaker) -> None:
        closed = threading.Event()
        breaker.shut_down(closed.set)
        await until(closed.is_set)

    async def test_the_guard_stops_a_call_before_it_begins(self, server: Server) -> None:
        def fence() -> None:
            raise FencedError("operator", "not the leader")

        breaker = CircuitBreaker("mariadb-main", server.ping, fence=fence)
        with pytest.raises(FencedError):
            await breaker.call(server.ask)
        assert server.calls == []
        assert not breaker.is_open
        breaker.shut_down()

    async def test_other_errors_do_not_open_it(self, breaker: CircuitBreaker) -> None:
        with pytest.raises(ValueError, match="invalid literal"):
            await breaker.call(int, "x")
        assert await breaker.call(int, "1") == 1


def test_memory_is_short_and_exact(clock: Clock) -> None:
    state, outcome = ReconcileState(clock), done(Reason.PROVISIONED)
    state.keep("u", "step", "f", outcome, state.epoch)
    assert state.recall("u", "step", "f") is outcome
    assert state.recall("u", "step", "other") is None
    assert state.recall("u", "other", "f") is None
    clock.now += FRESH_SECONDS + 1
    assert state.recall("u", "step", "f") is None
    state.forget("u")
    state.forget("u")


def tenant(name: str = "acme", uid: str = "u", version: str = "1", **status: Any) -> Tenant:
    body = tenant_body(name)
    body["metadata"] |= {"uid": uid, "resourceVersion": version}
    return Tenant.parse({**body, "status": status})


class TestCluster:
    def test_an_older_version_replaces_no_newer_one(self) -> None:
        mirror: Mirror[Tenant] = Mirror()
        mirror.put(tenant(version="10"))
        mirror.put(tenant(version="9", url="https://old"))
        assert [one.metadata.resource_version for one in mirror] == ["10"]
        mirror.put(tenant(uid="successor", version="20"))
        mirror.drop("acme", "u")
        assert len(mirror) == 1
        mirror.drop("acme", "successor")
        mirror.drop("acme", "successor")
        assert len(mirror) == 0

    def test_a_late_answer_about_a_predecessor_replaces_no_successor(self) -> None:
        mirror: Mirror[Tenant] = Mirror()
        mirror.put(tenant(version="10"))
        mirror.put(tenant(uid="successor", version="20"))
        mirror.put(tenant(version="15"))
        assert [one.metadata.uid for one in mirror] == ["successor"]

    def test_what_is_gone_does_not_come_back(self) -> None:
        mirror: Mirror[Tenant] = Mirror()
        mirror.put(tenant(version="10"))
        mirror.drop("acme", "u")
        mirror.put(tenant(version="15"))
        assert len(mirror) == 0
        mirror.put(tenant(uid="successor", version="14"))
        assert [one.metadata.uid for one in mirror] == ["successor"]

    def test_what_is_looked_up_by_a_trait_follows_every_change(self) -> None:
        cluster = Cluster()
        taken = [{"type": "Ready", "status": "False", "reason": "SlugTaken", "message": "", "lastTransitionTime": NOW}]
        cluster.tenants.put(tenant("one", "1", "1", conditions=taken))
        assert [one.name for one in cluster.held_up_by([Reason.SLUG_TAKEN])] == ["one"]
        cluster.tenants.put(tenant("one", "1", "2", databaseServer="b"))
        assert cluster.held_up_by([Reason.SLUG_TAKEN]) == []
        assert [one.name for one in cluster.placed_on("b")] == ["one"]
        cluster.tenants.drop("one", "1")
        assert cluster.placed_on("b") == []
        assert cluster.rivals(tenant("one", "1")) == []

    def test_rivals_want_the_same_slug_host_or_data(self) -> None:
        cluster = Cluster()
        specs: list[dict[str, Any]] = [{"slug": "same"}, {"hosts": ["a.example.com"]}, {"adopt": "x" * 10}, {}]
        for number, spec in enumerate(specs):
            body = tenant_body(f"t{number}", **({"slug": f"slug-{number}"} | spec))
            cluster.tenants.put(Tenant.parse(body | {"metadata": {"name": f"t{number}", "uid": f"u{number}"}}))
        mine = tenant_body("mine", slug="same", hosts=["b.example.com", "a.example.com"], adopt="x" * 10)
        assert sorted(one.name for one in cluster.rivals(Tenant.parse(mine))) == ["t0", "t1", "t2"]

    def test_placements_count_what_no_status_says_yet(self) -> None:
        cluster = Cluster()
        one, two = tenant("one", "1"), tenant("two", "2", databaseServer="b")
        cluster.tenants.put(one)
        cluster.tenants.put(two)
        cluster.servers.put(DatabaseServer.parse({**SERVER, "metadata": {"name": "b"}}))
        cluster.reserve(one, "a")
        cluster.reserve(tenant("gone", "3"), "a")
        assert cluster.placements() == {"a": 1, "b": 1}

    def test_pods(self) -> None:
        cluster = Cluster()
        pod = Pod.parse(pod_body())
        assert (pod.ip, pod.ready, pod.trouble, pod.restarts) == ("10.0.0.9", True, None, 2)
        assert cluster.put_pod(pod) is None
        assert cluster.put_pod(pod) == pod
        assert cluster.pods("abc") == [pod]
        cluster.put_pod(Pod.parse(pod_body(deletionTimestamp="2026-11-22T12:00:00Z")))
        assert cluster.pods("abc") == []
        cluster.drop_pod(pod)
        cluster.drop_pod(pod)
        assert cluster.pods("abc") == []

    @pytest.mark.parametrize(
        ("reason", "trouble"), [("ContainerCreating", "None"), ("ErrImagePull", "ImagePullBackOff")]
    )
    def test_why_a_pod_does_not_start(self, reason: str, trouble: str) -> None:
        body = pod_body()
        body["status"] = {"containerStatuses": [{"state": {"waiting": {"reason": reason}}}]}
        assert str(Pod.parse(body).trouble) == trouble

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (
                {
                    "conditions": [
                        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
                    ]
                },
                "Unschedulable: 0/1 nodes",
            ),
            (
                {
                    "containerStatuses": [
                        {
                            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                        }
                    ]
                },
                "CrashLoopBackOff: exit code 137, OOMKilled",
            ),
            (
                {"containerStatuses": [{"state": {"terminated": {"exitCode": 2, "reason": "Error"}}}]},
                "Error: exit code 2",
            ),
            ({"containerStatuses": [{"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}, "None"),
            ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "Evicted: low on memory"),
            ({"containerStatuses": [{"state": {"waiting": {"reason": "no CamelCase"}}}]}, "PodFailed"),
        ],
    )
    def test_what_keeps_a_pod_from_running(self, status: dict[str, Any], words: str) -> None:
        assert str(Pod.parse({**pod_body(), "status": status}).trouble) == words

    def test_a_tenant_is_found_by_its_id(self) -> None:
        cluster = Cluster()
        cluster.tenants.put(tenant())
        assert cluster.tenant_of(tenant().id) is not None
        assert cluster.tenant_of("other") is None


def pod_body(**meta: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "app-1", "namespace": "tenant-abc", "labels": {"vivero.dev/tenant": "abc"}, **meta},
        "status": {
            "podIP": "10.0.0.9",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 2, "state": {"running": {}}}],
        },
    }


class Work:
    """Reconciles by script."""

    def __init__(self) -> None:
        self.results: dict[str, Result | Exception] = {}
        self.seen: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def reconcile(self, name: str) -> Result:
        self.seen.append(name)
        await self.gate.wait()
        result = self.results.get(name, Result())
        if isinstance(result, Exception):
            raise result
        return result


class Running:
    def __init__(self, concurrency: int = 4) -> None:
        self.queue, self.work = WorkQueue[Key](), Work()
        self.controller = Controller(
            self.queue, {"Tenant": self.work.reconcile}, concurrency=concurrency, resync_seconds=1000
        )
        self.task = asyncio.create_task(self.controller.run())

    async def settle(self) -> None:
        await until(lambda: self.queue.idle)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    one = Running()
    yield one
    await one.stop()


def broken_count() -> float:
    return REGISTRY.get_sample_value("vivero_reconcile_unexpected_errors_total", {"kind": "Tenant"}) or 0.0


class TestController:
    async def test_every_key_is_worked_on(self, running: Running) -> None:
        for name in "abc":
            running.queue.add(Key("Tenant", name))
        await running.settle()
        assert sorted(running.work.seen) == ["a", "b", "c"]

    async def test_a_failure_comes_back_and_a_success_ends_it(
        self, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backoff, "delay", lambda failures, _spread: 0.001 * failures)
        running.work.results["a"] = Result(failed=True)
        running.queue.add(Key("Tenant", "a"))
        await until(lambda: len(running.work.seen) > 2)
        running.work.results["a"] = Result()
        # The pass under way may still fail; the one after it succeeds, and then none is due for 1,000 s.
        count = len(running.work.seen)
        await until(lambda: len(running.work.seen) > count)
        await running.settle()
        last = len(running.work.seen)
        await asyncio.sleep(0.05)
        assert len(running.work.seen) <= last + 1

    async def test_what_failed_comes_back_when_a_server_does(
        self, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A signup at once, the others spread."""
        monkeypatch.setattr(backoff, "delay", lambda _failures, _spread: 1000)
        monkeypatch.setattr(random, "uniform", lambda _low, high: high / 100)
        running.work.results |= {"signup": Result(failed=True, urgent=True), "resync": Result(failed=True)}
        for name in ("resync", "signup", "well"):
            running.queue.add(Key("Tenant", name))
        await running.settle()
        running.work.results.clear()
        running.work.seen.clear()
        running.controller.wake()
        await until(lambda: len(running.work.seen) == 2)
        assert running.work.seen == ["signup", "resync"]
        running.controller.wake()
        await asyncio.sleep(0.1)
        assert len(running.work.seen) == 2

    async def test_a_bug_in_one_key_is_counted_and_stops_no_other(
        self, running: Running, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = broken_count()
        running.work.results["a"] = ZeroDivisionError("bug")
        for name in "ab":
            running.queue.add(Key("Tenant", name))
        await running.settle()
        assert set(running.work.seen) == {"a", "b"}
        assert broken_count() == before + 1
        assert "reconcile failed with an unexpected error" in caplog.text

    async def test_a_conflict_is_no_bug(self, running: Running) -> None:
        before = broken_count()
        running.work.results["a"] = BackendUnavailableError("kubernetes", "busy")
        running.queue.add(Key("Tenant", "a"))
        await running.settle()
        assert broken_count() == before

    async def test_what_is_under_way_ends_before_it_stops(self, running: Running) -> None:
        running.work.gate.clear()
        running.queue.add(Key("Tenant", "a"))
        await until(lambda: running.work.seen == ["a"])
        running.task.cancel()
        await asyncio.sleep(0.01)
        assert not running.task.done()
        running.work.gate.set()
        await asyncio.gather(running.task, return_exceptions=True)
        assert running.queue.idle

    async def test_what_does_not_end_is_cancelled(self, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(controllers, "DRAIN_SECONDS", 0.01)
        running.work.gate.clear()
        running.queue.add(Key("Tenant", "a"))
        await until(lambda: running.work.seen == ["a"])
        await asyncio.wait_for(running.stop(), 10)

    async def test_no_more_at_once_than_allowed(self) -> None:
        running = Running(concurrency=2)
        running.work.gate.clear()
        for name in "abcd":
            running.queue.add(Key("Tenant", name))
        await until(lambda: len(running.work.seen) == 2)
        await asyncio.sleep(0.02)
        assert len(running.work.seen) == 2
        running.work.gate.set()
        await running.settle()
        assert len(running.work.seen) == 4
        await running.stop()
