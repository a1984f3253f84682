from hypothesis import given
from hypothesis import strategies as st
from vivero_web.logins import MOST, is_worth_an_entry

TRIES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200)), max_size=400)


@given(TRIES)
def test_a_window_has_one_entry_for_each_origin_and_never_more_than_the_most(tries: list[tuple[str, int]]) -> None:
    written: list[tuple[str, int]] = []
    for origin in tries:
        if is_worth_an_entry(written.count(origin), len(written)):
            written.append(origin)
    assert len(written) == len(set(written)) == min(len(set(tries)), MOST)
