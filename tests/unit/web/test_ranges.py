"""Which bytes a Range header asks for (RFC 9110, section 14)."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from vivero_web.errors import RangeNotSatisfiableError
from vivero_web.ranges import content_range, part_of

SIZES = st.integers(0, 300)
PLACES = st.integers(0, 400)


@given(PLACES, st.none() | PLACES, SIZES)
def test_from_here_to_there(first: int, last: int | None, size: int) -> None:
    assume(last is None or first <= last)
    content = bytes(number % 251 for number in range(size))
    header = f"bytes={first}-{'' if last is None else last}"
    wanted = content[first:] if last is None else content[first : last + 1]
    if first >= size:
        with pytest.raises(RangeNotSatisfiableError):
            part_of(header, size)
        return
    part = part_of(header, size)
    assert part is not None
    assert content[part.start : part.stop] == wanted
    assert len(part) == len(wanted) > 0


@given(st.integers(1, 400), st.integers(1, 300))
def test_the_last_so_many(length: int, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    part = part_of(f"bytes=-{length}", size)
    assert part is not None
    assert content[part.start : part.stop] == content[-length:]


@given(st.text(), SIZES)
@example("bytes=" + "9" * 100_000 + "-", 5)
@example("bytes=0-" + "9" * 100_000, 5)
@example("bytes=" + "0" * 100_000 + "-", 5)
@example("bytes=²-³", 5)
@example("bytes=٣-٤", 5)
def test_any_text_asks_for_a_part_for_all_or_for_too_much(header: str, size: int) -> None:
    try:
        part = part_of(header, size)
    except RangeNotSatisfiableError:
        return
    assert part is None or 0 <= part.start < part.stop <= size


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=0-" + "9" * 5000, range(10)),
        ("bytes=" + "0" * 5000 + "9-", range(9, 10)),
        ("Bytes = 2-3", range(2, 4)),
        ("bytes=\t2-3 ", range(2, 4)),
        ("bytes=,2-3,", range(2, 4)),
        # All of it:
        ("bytes=0-1,4-5", None),
        ("bytes=5-2", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=1 - 2", None),
        ("bytes=+1-2", None),
        ("bytes=--1", None),
        ("bytes 0-1", None),
        ("lines=0-1", None),
        ("", None),
    ],
)
def test_what_is_asked_for_of_ten_bytes(header: str, part: range | None) -> None:
    assert part_of(header, 10) == part


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=" + "9" * 5000 + "-", 10), ("bytes=-0", 10)])
def test_what_is_behind_the_end_is_refused_with_the_size(header: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiableError) as refusal:
        part_of(header, size)
    assert refusal.value.headers == {"Content-Range": f"bytes */{size}"}


def test_nothing_is_sent_whole() -> None:
    assert part_of("bytes=-5", 0) is None


@given(st.integers(0, 10**15), st.integers(1, 10**15))
def test_a_content_range_names_first_and_last(first: int, length: int) -> None:
    size = first + length
    assert content_range(range(first, size), size) == f"bytes {first}-{size - 1}/{size}"
