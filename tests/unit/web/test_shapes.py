"""What programs send has the very shape that its route reads, and who sends another is told every field."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.asgi import ask
from support.programs import DOMAIN, a_control_plane, a_workspace, member, staff
from vivero_web.bodies import check_document, said
from vivero_web.errors import InvalidInputError
from vivero_web.security import JSON

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


class Part(msgspec.Struct):
    name: str


class Whole(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(max_length=3)]
    number: int | None = None
    flag: bool = False
    parts: list[Part] = []


def at_fault(document: Any, kind: Any = Whole) -> set[str]:  # noqa: ANN401  any JSON, and a type
    try:
        check_document(document, kind)
    except InvalidInputError as error:
        return {one.field for one in error.errors if one.message}
    return set()


FIELDS = st.fixed_dictionaries(
    {}, optional={"text": ANY_JSON, "number": ANY_JSON, "flag": ANY_JSON, "parts": ANY_JSON, "more": ANY_JSON}
)


@given(FIELDS | ANY_JSON)
def test_what_passes_is_of_the_type_and_all_else_is_refused(document: Any) -> None:  # noqa: ANN401  as above
    try:
        made = msgspec.convert(document, Whole)
    except msgspec.ValidationError:
        assert at_fault(document)
    else:
        assert not at_fault(document)
        assert msgspec.to_builtins(made) | document == msgspec.to_builtins(made)


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({"text": "a"}, set()),
        ({}, {"text"}),
        ({"text": "abcd", "number": "1", "flag": 0}, {"text", "number", "flag"}),
        ({"text": 1, "number": True, "flag": "true"}, {"text", "number", "flag"}),
        ({"text": "a", "parts": [{"name": "x"}, {"name": 2}]}, {"parts[1].name"}),
        ({"text": "a", "more": 1}, {"more"}),
        (None, {"body"}),
        ([], {"body"}),
    ],
)
def test_every_field_at_fault_is_named(document: Any, fields: set[str]) -> None:  # noqa: ANN401  as above
    assert at_fault(document) == fields


def test_an_answer_is_not_as_long_as_what_it_refuses() -> None:
    assert 1 < len(at_fault({str(number): 1 for number in range(5000)})) < 100


def test_what_may_be_left_out_may() -> None:
    assert at_fault(None, Whole | None) == set()
    assert at_fault({"text": 1}, Whole | None) == {"text"}


@pytest.mark.parametrize("text", ["null", "none", "0", "1.5", "true", " 1", "9" * 400])
def test_a_word_in_an_address_is_no_number_and_not_nothing(text: str) -> None:
    with pytest.raises(InvalidInputError, match="day: must be a day"):
        said("day", text, date, "a day")
    assert said("day", "", int, "a day") is None


async def status_of(app: Any, method: str, where: str, headers: Any, body: Any) -> tuple[int, list[str]]:  # noqa: ANN401  any
    sent = json.dumps(body).encode()
    kind = [("content-type", JSON), ("content-length", str(len(sent)))]
    answer = await ask(app, method, where, [*headers[:1], *kind], [sent], DOMAIN)
    return answer.status, [one["field"] for one in json.loads(answer.body).get("errors", [])]


async def test_a_workspace_reads_no_text_as_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, owner = a_workspace(tmp_path, monkeypatch), member("owner")
    found = await status_of(app, "PATCH", "/api/v1/users/1", owner, {"active": "true", "name": 1})
    assert found == (422, ["name", "active"])
    found = await status_of(app, "PATCH", "/api/v1/collections/x/records/1", owner, {"values": {}, "version": "1"})
    assert found == (422, ["version"])


async def test_nor_does_a_control_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = a_control_plane(tmp_path, monkeypatch)
    found = await status_of(app, "POST", "/api/v1/tenants/x/resume", staff(), {"reason": "a", "generation": "1"})
    assert found == (422, ["reason", "generation"])
    for state in ("null", "0", "gone"):
        answer = await ask(app, "GET", f"/api/v1/tenants?state={state}", staff()[:1], host=DOMAIN)
        assert (answer.status, state) == (422, state)
