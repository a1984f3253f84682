"""Dashboards, and what becomes of Prometheus' answers."""

import math
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_control.domain.monitoring import drawing
from vivero_control.domain.monitoring.dashboards import DASHBOARDS
from vivero_control.domain.monitoring.drawing import MOST_STEPS, Grid
from vivero_control.domain.monitoring.panels import Limit, Panel, Query, Shape, Unit, asked, lines, named, ranking
from vivero_control.domain.monitoring.prometheus import PAUSE, Breaker, Sample, Series
from vivero_control.domain.monitoring.schemas import Span
from vivero_control.web.panels import NONE, ShownPanel, count, seconds, share

PANELS = [(one.name, panel) for one in DASHBOARDS.values() for panel in one.panels]
NOW = datetime(2026, 11, 22, 12, 0, 7, tzinfo=UTC)
QUERY = Query("up", "{{pod}}")


def test_a_dashboard_has_no_two_panels_of_one_name_and_only_one_is_of_a_tenant() -> None:
    for one in DASHBOARDS.values():
        titles = [panel.title for panel in one.panels]
        assert len(set(titles)) == len(titles)
    assert [one.name for one in DASHBOARDS.values() if one.of_tenant] == ["tenant"]


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_labels_of_a_legend_are_those_that_the_question_keeps(name: str, panel: Panel) -> None:
    for query in panel.queries:
        kept = {
            one for found in re.findall(r"(?:by|group_left) \(([\w, ]+)\)", query.expr) for one in found.split(", ")
        }
        assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= kept, name


@given(st.sampled_from(Span), st.datetimes(datetime(2020, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_grid_ends_at_most_a_step_ago_and_stands_still_meanwhile(span: Span, now: datetime) -> None:
    grid = Grid.of(span, now)
    assert len(grid.times) <= MOST_STEPS + 1
    assert all(not one.second for one in grid.times)
    assert timedelta() <= now - grid.times[-1] < timedelta(seconds=grid.step)
    assert Grid.of(span, grid.times[-1]) == grid
    assert grid.rate_seconds >= grid.step


@given(st.lists(st.one_of(st.floats(), st.none()), min_size=1, max_size=61))
def test_values_stay_at_their_moment_and_what_is_no_figure_is_none(values: list[float | None]) -> None:
    grid = Grid.of(Span.HOUR, NOW)
    given_values = [
        (float(grid.begin + number * grid.step), str(value)) for number, value in enumerate(values) if value is not None
    ]
    placed = grid.placed(Series({}, given_values))
    wanted = [value if value is not None and math.isfinite(value) else None for value in values]
    assert list(placed[: len(values)]) == wanted
    assert set(placed[len(values) :]) <= {None}


def test_series_beyond_the_most_are_counted_and_empty_ones_left_out() -> None:
    panel = ranking("Busiest", "", Unit.RATE, QUERY)
    samples = [Sample({"pod": f"p{number:02}"}, (0.0, str(number))) for number in range(20)]
    drawn = drawing.newest(panel, [(QUERY, [*samples, Sample({"pod": "odd"}, (0.0, "NaN"))])], NOW)
    assert [one.name for one in drawn.lines] == [f"p{number:02}" for number in range(19, 7, -1)]
    assert drawn.left_out == 8


def test_a_series_keeps_its_place_whatever_order_prometheus_answers_in() -> None:
    panel, grid = lines("Memory", "", Unit.BYTES, QUERY), Grid.of(Span.HOUR, NOW)
    series = [Series({"pod": name}, [(float(grid.end), "1")]) for name in "cab"]
    drawn = drawing.over_time(panel, [(QUERY, series)], grid)
    assert [one.name for one in drawn.lines] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("limit", "value", "broken"),
    [(Limit(1, ""), 1, False), (Limit(1, ""), 1.1, True), (Limit(1, "", below=True), 1, False), (Limit(1, "", below=True), 0, True)],
)  # fmt: skip
def test_a_limit_is_broken_beyond_it(limit: Limit, value: float, *, broken: bool) -> None:
    assert limit.broken_by(value) is broken


def test_words_of_a_series() -> None:
    assert named(Query("up", "{{pod}}: ready"), {"pod": "a"}) == "a: ready"
    assert named(Query("up", "{{pod}}"), {}) == "up"
    assert asked(Query('up{tenant_id="$tenant_id"}[$__rate_interval]', ""), "u5g5446au3", 120) == (
        'up{tenant_id="u5g5446au3"}[120s]'
    )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (count(3.0), "3"), (count(12_345.0), "12,345"), (count(0.1234), "0.12"), (count(12.345), "12.3"),
        (seconds(0.0042), "4.2 ms"), (seconds(0), "0 s"), (seconds(1.5), "1.5 s"), (seconds(59), "59 s"),
        (seconds(90_061), "1 d 1 h"), (share(0.99954), "99.95\N{NO-BREAK SPACE}%"), (share(1), "100\N{NO-BREAK SPACE}%"),
    ],
)  # fmt: skip
def test_figures_in_words(written: str, words: str) -> None:
    assert written == words


def test_a_panel_that_breaks_its_limit_says_what_that_means_and_a_gap_does_not() -> None:
    panel = lines("Lag", "", Unit.SECONDS, QUERY, limit=Limit(300, "behind"))
    grid = Grid.of(Span.HOUR, NOW)
    values = {"a": "301", "b": "NaN"}
    series = [
        Series({"pod": name}, [(float(grid.begin), "5"), (float(grid.end), text)]) for name, text in values.items()
    ]
    shown = ShownPanel(drawing.over_time(panel, [(QUERY, series)], grid), Span.HOUR)
    assert shown.warning == "behind"
    assert [(one.text, one.breaks) for one in shown.figures] == [("5 min 1 s", True), (NONE, False)]
    summary, course = shown.tables
    assert summary.rows == (("a", "5 min 1 s", "5 s", "2 min 33 s", "5 min 1 s"), ("b", NONE, "5 s", "5 s", "5 s"))
    assert course.rows[0] == ("12:00", "5 min 1 s", NONE)
    assert len(course.rows) == 13


def test_a_breaker_is_open_for_its_pause() -> None:
    now = 0.0
    breaker = Breaker(lambda: now)
    assert not breaker.is_open
    breaker.trip()
    now = PAUSE - 0.1
    assert breaker.is_open
    now = PAUSE
    assert not breaker.is_open


def test_shapes_are_all_used() -> None:
    assert {panel.shape for _, panel in PANELS} == set(Shape)
