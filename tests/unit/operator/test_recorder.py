"""Events: one for what is said again and again, none lost, no pass held up by one."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.fakes import FakeKube
from unit.operator.waiting import until
from vivero_core.backends.kube.errors import KubeForbiddenError, KubeUnavailableError
from vivero_operator import metrics
from vivero_operator.manifests import event
from vivero_operator.manifests.event import ObjectEvent, Subject
from vivero_operator.reconcile import recorder as recorders
from vivero_operator.reconcile.recorder import SERIES_SECONDS, SIMILAR, Recorder

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ACME = Subject("Tenant", "acme", "uid-acme", "7")


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds - 1000)


class Hanging(FakeKube):
    """Its events endpoint fails in one of the ways that endpoints do."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.hangs = False
        self.tries = 0

    async def _trouble(self) -> None:
        self.tries += 1
        if self.hangs:
            await asyncio.sleep(3600)
        if self.error is not None:
            raise self.error

    async def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        await self._trouble()
        return await super().create(manifest)

    async def patch(self, *args: Any, **how: Any) -> dict[str, Any]:  # noqa: ANN401  passes on what it gets
        await self._trouble()
        return await super().patch(*args, **how)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [item for (kind, _, _), item in self.objects.items() if kind == "Event"]


@pytest.fixture
def kube() -> Hanging:
    return Hanging()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(kube: Hanging, clock: Clock) -> Recorder:
    return Recorder(cast("Any", kube), "operator-1", clock.now, clock)


def said(
    note: str = "Drift corrected: Service/app", reason: str = "DriftCorrected", subject: Subject = ACME
) -> ObjectEvent:
    return ObjectEvent(subject, "Warning", reason, note, "CorrectDrift")


class TestSeries:
    async def test_the_same_again_counts_up(self, recorder: Recorder, kube: Hanging, clock: Clock) -> None:
        for _ in range(3):
            await recorder.record(said())
            clock.seconds += 60
        (one,) = kube.events
        assert one["eventTime"] == "2026-11-22T12:00:00.000000Z"
        assert one["series"] == {"count": 3, "lastObservedTime": "2026-11-22T12:02:00.000000Z"}

    async def test_after_a_long_pause_it_is_another_event(
        self, recorder: Recorder, kube: Hanging, clock: Clock
    ) -> None:
        await recorder.record(said())
        clock.seconds += SERIES_SECONDS
        await recorder.record(said())
        assert ["series" in one for one in kube.events] == [False, False]

    @pytest.mark.parametrize(
        "other",
        [
            said("another note"),
            said(reason="DriftContested"),
            said(subject=Subject("Tenant", "acme", "uid-of-another-acme")),
            ObjectEvent(ACME, "Normal", "DriftCorrected", "Drift corrected: Service/app", "CorrectDrift"),
        ],
    )
    async def test_what_differs_is_not_counted_with_it(
        self, recorder: Recorder, kube: Hanging, other: ObjectEvent
    ) -> None:
        await recorder.record(said())
        await recorder.record(other)
        assert len(kube.events) == 2

    async def test_many_different_words_for_one_reason_are_one_series_in_the_end(
        self, recorder: Recorder, kube: Hanging
    ) -> None:
        for number in range(SIMILAR + 30):
            await recorder.record(said(f"Drift corrected: thing {number}"))
        assert len(kube.events) == SIMILAR + 1
        assert kube.events[-1]["note"] == "(combined from similar events) Drift corrected: thing 0"
        assert kube.events[-1]["series"]["count"] == 30
        await recorder.record(said("something else", reason="Proven"))
        assert kube.events[-1]["note"] == "something else"

    async def test_words_from_long_ago_do_not_count(self, recorder: Recorder, kube: Hanging, clock: Clock) -> None:
        for number in range(3 * SIMILAR):
            await recorder.record(said(f"thing {number}"))
            clock.seconds += SERIES_SECONDS / SIMILAR
        assert not any(one["note"].startswith("(combined") for one in kube.events)

    async def test_what_is_remembered_has_a_bound(
        self, recorder: Recorder, kube: Hanging, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recorders, "REMEMBERED", 2)
        for name in ("a", "b", "c"):
            await recorder.record(said(subject=Subject("Tenant", name, name)))
        await recorder.record(said(subject=Subject("Tenant", "c", "c")))
        await recorder.record(said(subject=Subject("Tenant", "a", "a")))
        assert len(kube.events) == 4, "c was remembered, a was not"


class TestNothingIsLost:
    async def test_an_event_that_has_expired_is_followed_by_a_new_one(self, recorder: Recorder, kube: Hanging) -> None:
        await recorder.record(said())
        kube.objects.clear()
        await recorder.record(said())
        assert len(kube.events) == 1

    @pytest.mark.parametrize("first", [True, False])
    async def test_what_failed_is_counted_with_the_next(self, recorder: Recorder, kube: Hanging, first: bool) -> None:  # noqa: FBT001
        if not first:
            await recorder.record(said())
        kube.error = KubeUnavailableError("kubernetes", "no answer")
        for _ in range(2):
            await recorder.record(said())
        kube.error = None
        await recorder.record(said())
        (one,) = kube.events
        assert one["series"]["count"] == (3 if first else 4)

    async def test_it_is_posted_when_the_server_is_back(
        self, recorder: Recorder, kube: Hanging, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recorders, "AGAIN_SECONDS", 0.001)
        kube.error = KubeUnavailableError("kubernetes", "no answer")
        for note in ("one", "two", "one"):
            await recorder.record(said(note))
            clock.seconds += 30
        task = asyncio.create_task(recorder.run())
        await until(lambda: kube.tries > 5)
        assert kube.events == []
        kube.error = None
        await until(lambda: len(kube.events) == 2)
        assert sorted(one["note"] for one in kube.events) == ["one", "two"]
        first = next(one for one in kube.events if one["note"] == "one")
        assert first["eventTime"] == "2026-11-22T12:00:00.000000Z", "when it happened"
        assert first["series"] == {"count": 2, "lastObservedTime": "2026-11-22T12:01:00.000000Z"}
        tries = kube.tries
        await asyncio.sleep(0.01)
        assert kube.tries == tries, "and only once"
        task.cancel()

    async def test_what_is_refused_is_not_tried_again(
        self, recorder: Recorder, kube: Hanging, caplog: pytest.LogCaptureFixture
    ) -> None:
        kube.error = KubeForbiddenError("kubernetes", "events is forbidden")
        await recorder.record(said())
        kube.error = None
        await recorder.record(said())
        assert ["series" in one for one in kube.events] == [False]
        assert "posting an event failed: kubernetes: events is forbidden" in caplog.text

    async def test_what_waits_has_a_bound(
        self, recorder: Recorder, kube: Hanging, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recorders, "KEPT", 2)
        monkeypatch.setattr(recorders, "AGAIN_SECONDS", 0.001)
        kube.error = KubeUnavailableError("kubernetes", "no answer")
        for note in ("one", "two", "three"):
            await recorder.record(said(note))
        kube.error = None
        task = asyncio.create_task(recorder.run())
        await until(lambda: len(kube.events) == 2)
        task.cancel()
        assert sorted(one["note"] for one in kube.events) == ["three", "two"]

    async def test_everything_is_in_the_log_and_counted(
        self, recorder: Recorder, kube: Hanging, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = metrics.EVENTS.labels("Tenant", "Warning", "DriftCorrected")._value.get()  # noqa: SLF001
        kube.error = KubeUnavailableError("kubernetes", "no answer")
        await recorder.record(said("what it said"))
        assert "what it said" in caplog.text
        assert metrics.EVENTS.labels("Tenant", "Warning", "DriftCorrected")._value.get() == before + 1  # noqa: SLF001


class TestNoPassWaits:
    async def test_an_endpoint_that_hangs_holds_up_a_pass_for_a_moment(
        self, recorder: Recorder, kube: Hanging, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recorders, "POST_SECONDS", 0.01)
        kube.hangs = True
        async with asyncio.timeout(60):
            await recorder.record(said())
        kube.hangs = False
        await recorder.record(said())
        (one,) = kube.events
        assert one["series"]["count"] == 2

    async def test_what_happens_again_while_it_is_tried_is_counted(
        self, recorder: Recorder, kube: Hanging, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recorders, "POST_SECONDS", 0.05)
        kube.hangs = True
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(recorder.record(said()))
        kube.hangs = False
        await recorder.record(said())
        (one,) = kube.events
        assert one["series"]["count"] == 4


NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", fullmatch=True)


class TestWhatTheServerTakes:
    @given(name=NAMES, note=st.text(max_size=1500), identity=st.text(min_size=1, max_size=253))
    def test_names_and_lengths(self, name: str, note: str, identity: str) -> None:
        body = event.build(said(note, subject=Subject("Plan", name, "u")), identity, NOON)
        assert len(body["note"].encode()) <= 1024
        assert 0 < len(body["reportingInstance"].encode()) <= 128
        assert len(body["metadata"]["name"]) <= 253

    @pytest.mark.parametrize("note", ["x" * 1025, "ä" * 600, "x" + "€" * 400, "😀" * 300])
    def test_characters_stay_whole(self, note: str) -> None:
        cut = event.build(said(note), "operator-1", NOON)["note"]
        assert 1020 < len(cut.encode()) <= 1024
        assert note.startswith(cut)

    @pytest.mark.parametrize("name", ["a" * 230 + "-" * 20 + "b", "a" * 235 + ".b", "a." * 126 + "b"])
    def test_a_long_name_ends_well(self, name: str) -> None:
        made = event.build(said(subject=Subject("Plan", name, "u")), "operator-1", NOON)["metadata"]["name"]
        assert len(made) <= 253
        assert re.fullmatch(r"([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?", made)

    @given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=300))
    def test_what_fits_is_not_changed(self, note: str) -> None:
        body = event.build(said(note), "operator-1", NOON)
        assert body["note"] == note or len(note.encode()) > 1024

    def test_it_says_who_reports_and_about_what(self) -> None:
        body = event.build(said(), "operator-1", NOON)
        assert (body["reportingController"], body["reportingInstance"]) == ("vivero.dev/operator", "operator-1")
        assert body["regarding"] == {
            "apiVersion": "vivero.dev/v1alpha1",
            "kind": "Tenant",
            "name": "acme",
            "uid": "uid-acme",
            "resourceVersion": "7",
        }
        assert (body["type"], body["reason"], body["action"]) == ("Warning", "DriftCorrected", "CorrectDrift")
