"""How much is done, and how long the rest takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_dev.progress import Progress, in_words


def test_what_is_left_follows_the_pace_of_this_machine() -> None:
    progress = Progress({"compile": 900.0, "rest": 100.0}, processors=2)
    assert progress.left(0.0) == 500.0  # as expected: nothing is known yet
    progress.reached("compile", 0.5)
    assert progress.share == 0.45
    assert progress.left(900.0) == pytest.approx(1100.0)  # 2 s for each second that was expected


def test_a_share_never_goes_back_nor_past_its_end() -> None:
    progress = Progress({"a": 1.0, "b": 1.0}, processors=1)
    progress.reached("a", 0.7)
    progress.reached("a", 0.2)
    assert progress.share == 0.35
    progress.reached("a", 7.0)
    assert progress.share == 0.5


@given(
    expected=st.dictionaries(st.sampled_from("abcde"), st.floats(0, 1e4), max_size=5),
    reached=st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 2))),
    elapsed=st.floats(0, 1e5),
)
def test_any_run_tells_a_share_and_a_time(
    expected: dict[str, float], reached: list[tuple[str, float]], elapsed: float
) -> None:
    progress, before = Progress(expected, processors=2), 0.0
    for step, share in reached:
        progress.reached(step, share)
        assert before <= progress.share <= 1.0 + 1e-9
        before = progress.share
        assert progress.left(elapsed) >= -1e-6


@pytest.mark.parametrize(
    ("share", "left", "words"),
    [
        (0.0, 480.0, "0% done, about 8 min left"),
        (0.42, 61.0, "42% done, about 1 min left"),
        (0.99, 3.0, "99% done, less than a minute left"),
    ],
)
def test_it_is_told_in_words(share: float, left: float, words: str) -> None:
    assert in_words(share, left) == words
