"""What a request makes depend on a version (RFC 9110, section 13)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar.datastructures import Headers
from vivero_web.conditions import Conditions, continues, http_date, is_current, names_in, tag_of, weakened
from vivero_web.errors import InvalidInputError, PreconditionFailedError

OPAQUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'), max_size=12).filter(
    lambda text: not any(0x7F <= ord(char) < 0xA0 for char in text)
)
TAGS = st.lists(st.tuples(st.sampled_from(["", "W/"]), OPAQUE), max_size=6)
GAPS = st.sampled_from([",", ", ", " ,\t", ",,", ", ,"])


def sent(*lines: str, name: str = "If-Match") -> Headers:
    return Headers([(name.encode(), line.encode("latin-1")) for line in lines])


@given(TAGS, GAPS)
def test_a_list_holds_the_names_of_its_tags_however_it_is_spelled(tags: list[tuple[str, str]], gap: str) -> None:
    spelled = [f'{weak}"{name}"' for weak, name in tags]
    names = frozenset(f'"{name}"' for _, name in tags)
    assert names_in(sent(gap.join(spelled)), "if-match") == names
    if spelled:
        assert names_in(sent(*spelled), "if-match") == names


@given(st.text(st.characters(max_codepoint=0xFF)))
@example('"')
@example('"a" "b"')
@example('w/"a"')
@example('"a"' * 20_000)
@example(", " * 20_000 + "x")
def test_any_text_is_a_list_or_is_none(text: str) -> None:
    names = names_in(sent(text), "if-match")
    assert names is None or all(name == "*" or (name[0] == name[-1] == '"') for name in names)


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        ('"3"', True),
        ('W/"3"', True),  # what a compressing proxy makes of it
        ('"1", "3"', True),
        ('"1",W/"3"', True),
        ("*", True),
        ('"2"', False),
        ('"1", "2"', False),
        ('"03"', False),
        ('"33"', False),
        ('"*"', False),
        ("", False),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "DELETE", "GET"])
def test_if_match(method: str, header: str, *, holds: bool) -> None:
    conditions = Conditions.of(method, sent(header))
    if holds:
        conditions.check(tag_of(3))
        return
    with pytest.raises(PreconditionFailedError, match='"3"'):
        conditions.check(tag_of(3))


@pytest.mark.parametrize("header", ["3", "W/x", '"3', "3, 4", '"3" "4"', "*, *", 'w/"3"'])
def test_an_if_match_that_is_no_list_changes_nothing(header: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        Conditions.of("PATCH", sent(header))
    assert refusal.value.errors[0].field == "If-Match"


@pytest.mark.parametrize(
    ("header", "holds"), [("*", False), ('"3"', False), ('W/"3"', False), ('"4", "3"', False), ('"4"', True)]
)
def test_a_write_with_if_none_match(header: str, *, holds: bool) -> None:
    conditions = Conditions.of("DELETE", sent(header, name="If-None-Match"))
    if holds:
        conditions.check(tag_of(3))
        return
    with pytest.raises(PreconditionFailedError):
        conditions.check(tag_of(3))


def test_a_request_without_conditions_depends_on_nothing() -> None:
    for method in ("GET", "PATCH", "DELETE"):
        Conditions.of(method, Headers()).check(tag_of(3))


LAST = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ANSWER = {"etag": 'W/"3"', "last-modified": http_date(LAST)}


@pytest.mark.parametrize(
    ("asked", "current"),
    [
        ({}, False),
        ({"if-none-match": '"3"'}, True),
        ({"if-none-match": 'W/"3"'}, True),
        ({"if-none-match": '"1", W/"3"'}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": '"4"'}, False),
        ({"if-none-match": "3"}, False),
        ({"if-modified-since": "Sun, 01 Mar 2026 12:00:00 GMT"}, True),
        ({"if-modified-since": "Sun, 01 Mar 2026 12:00:01 GMT"}, True),
        ({"if-modified-since": "Sun, 01 Mar 2026 11:59:59 GMT"}, False),
        # The two old forms, which recipients must still read.
        ({"if-modified-since": "Sunday, 01-Mar-26 12:00:00 GMT"}, True),
        ({"if-modified-since": "Sun Mar  1 12:00:00 2026"}, True),
        ({"if-modified-since": "yesterday"}, False),
        ({"if-modified-since": ""}, False),
        # A tag decides alone.
        ({"if-none-match": '"4"', "if-modified-since": "Sun, 01 Mar 2026 12:00:00 GMT"}, False),
        ({"if-none-match": '"3"', "if-modified-since": "Sun, 01 Mar 2020 12:00:00 GMT"}, True),
    ],
)
def test_what_a_client_has_already(asked: dict[str, str], *, current: bool) -> None:
    assert is_current(Headers(asked), ANSWER) is current


@pytest.mark.parametrize("asked", [{"if-none-match": "*"}, {"if-modified-since": "Sun, 01 Mar 2026 12:00:00 GMT"}])
def test_an_answer_without_a_version_is_never_what_a_client_has(asked: dict[str, str]) -> None:
    assert not is_current(Headers(asked), {})


@given(st.text(st.characters(max_codepoint=0xFF)))
@example("Mon, 01 Jan 99999 00:00:00 GMT")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Mon, 01 Jan 2026 00:00:00 +999999999999")
def test_no_odd_date_breaks_anything(text: str) -> None:
    assert isinstance(is_current(Headers([(b"if-modified-since", text.encode("latin-1"))]), ANSWER), bool)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001  Hypothesis wants bounds without a zone
def test_a_date_that_was_sent_is_read_back(moment: datetime) -> None:
    answer = {"last-modified": http_date(moment)}
    assert is_current(Headers({"if-modified-since": answer["last-modified"]}), answer)
    if moment > datetime(1970, 1, 2, tzinfo=UTC):
        before = format_datetime(moment.replace(microsecond=0) - timedelta(seconds=1), usegmt=True)
        assert not is_current(Headers({"if-modified-since": before}), answer)


@pytest.mark.parametrize(
    ("if_range", "fits"),
    [
        (None, True),
        ('"a"', True),
        ("Sun, 01 Mar 2026 12:00:00 GMT", True),
        ('W/"a"', False),
        ('"b"', False),
        ("Sun, 01 Mar 2026 12:00:01 GMT", False),
        ("", False),
    ],
)
def test_a_part_continues_exactly_what_the_client_has(if_range: str | None, *, fits: bool) -> None:
    asked = Headers({} if if_range is None else {"if-range": if_range})
    assert continues(asked, {"etag": '"a"', "last-modified": http_date(LAST)}) is fits


def test_a_part_continues_no_weak_version() -> None:
    assert not continues(Headers({"if-range": '"3"'}), ANSWER)


@given(OPAQUE)
def test_a_weakened_tag_still_names_its_version(name: str) -> None:
    tag = weakened(f'"{name}"')
    assert tag == weakened(tag) == f'W/"{name}"'
    Conditions.of("PATCH", sent(tag)).check(f'"{name}"')
