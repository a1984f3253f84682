from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import field as any_field
from unit.data_plane.strategies import SPELLED, WRITABLE
from vivero_data.domain.audit.schemas import AuditEntry
from vivero_data.domain.collections.schemas import Collection, Field, parse, present
from vivero_data.domain.field_types.long_text import lines
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.web import audit_labels, filters, forms, inputs, writing
from vivero_data.web.controllers.audit import audit_query
from vivero_data.web.listing import Address, chosen_columns, columns_cookie
from vivero_web.errors import FieldError, InvalidInputError


def field(kind: FieldType, number: int = 7, *, required: bool = False) -> Field:
    return any_field(kind, number, name="Field", required=required)


@given(SPELLED)
def test_what_a_form_shows_is_what_it_sends_back(pair: tuple[FieldType, Any]) -> None:
    kind, value = pair
    one = field(kind)
    sent = inputs.record_values([one], {"f7": inputs.shown(value)})["Field"]
    stored = None if sent is None else present(one, parse(one, sent))
    assert stored == _typed_anew(kind, value)


def _typed_anew(kind: FieldType, value: Any) -> Any:  # noqa: ANN401  a field's value may be of any of its types
    """What is left of a value that a person types anew as a form shows it."""
    if kind is FieldType.LONG_TEXT:
        value = lines(value)
    if kind is FieldType.DATETIME:
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    return None if isinstance(value, str) and not value.strip() else value


@given(WRITABLE)
def test_an_input_that_was_left_alone_matches_its_mark(pair: tuple[FieldType, Any]) -> None:
    kind, value = pair
    one, shown = field(kind), inputs.shown(value)
    form = {"f7-was": inputs.input_hash(one, shown)}
    # Of boxes only those that are ticked are sent.
    assert inputs.changed_fields([one], form) == ([one] if kind.kind.several else []), "not sent"
    posted = lines(shown).replace("\n", "\r\n") if kind is FieldType.LONG_TEXT else shown
    assert inputs.changed_fields([one], {**form, "f7": posted}) == []
    assert inputs.changed_fields([one], {**form, "f7": f"{shown}x"}) == [one]


@pytest.mark.parametrize("sent", ["2026-01-02T03:04:05.67", "2026-01-02T03:04:05.670"])
def test_a_moment_matches_in_every_spelling_of_browsers(sent: str) -> None:
    one = field(FieldType.DATETIME)
    moment = datetime(2026, 1, 2, 3, 4, 5, 670_999, tzinfo=UTC)
    assert inputs.changed_fields([one], {"f7": sent, "f7-was": inputs.input_hash(one, inputs.shown(moment))}) == []


@pytest.mark.parametrize(
    ("was", "now", "changed"), [("", "", 0), ("true", "true", 0), ("true", "", 1), ("", "true", 1)]
)
def test_a_checkbox_tells_by_its_mark_that_it_was_there(was: str, now: str, changed: int) -> None:
    box = field(FieldType.BOOLEAN, required=True)
    form = {"f7-was": inputs.input_hash(box, was), **({"f7": now} if now else {})}
    assert len(inputs.changed_fields([box], form)) == changed


@given(st.sampled_from(list(FieldType)), st.text(max_size=50))
def test_any_text_becomes_a_value_or_is_refused(kind: FieldType, text: str) -> None:
    value = inputs.record_values([field(kind)], {"f7": text})["Field"]
    with suppress(ValueError):
        parse(field(kind), value if value is not None else "")


def test_a_checkbox_that_is_off_is_no_and_a_choice_that_is_not_made_is_nothing() -> None:
    assert inputs.record_values([field(FieldType.BOOLEAN, required=True)], {}) == {"Field": False}
    assert inputs.record_values([field(FieldType.BOOLEAN)], {}) == {"Field": None}


def test_moments_are_shown_in_utc() -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=1)))
    assert inputs.shown(moment) == "2026-01-02T02:04"
    assert inputs.shown(Decimal("1E+3")) == "1000"


@given(st.text())
def test_a_login_never_leads_away(target: str) -> None:
    path = forms.local_path(target)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil", "javascript:alert(1)", "/\tx", "/login", ""]
)
def test_where_a_login_does_not_lead(target: str) -> None:
    assert forms.local_path(target) == "/"


def test_errors_by_field() -> None:
    errors = [FieldError("values.Name", "is required"), FieldError("Name", "second"), FieldError("x", "Done.")]
    assert forms.field_errors(InvalidInputError("", errors=errors)) == {"Name": "Is required.", "x": "Done."}


Values = dict[str, Any] | None


def entry(action: str, subject: str = "", before: Values = None, after: Values = None) -> AuditEntry:
    return AuditEntry(1, datetime.now(UTC), "a", action, subject, before, after, "r")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("record.update", "Changed record"),
        ("file.create", "Uploaded file"),
        ("session.start", "Logged in"),
        ("user.change_password", "Changed own password"),
        ("user.reset_password", "Reset the password of user"),
        ("workspace.update", "Changed workspace"),
        ("plan.went_up", "Plan went up"),
        ("odd", "Odd"),
    ],
)
def test_actions_in_words(action: str, words: str) -> None:
    assert audit_labels.headline(action) == words


def test_changes_of_an_entry() -> None:
    found = audit_labels.changes(
        entry("record.update", "", {"a": 1, "b": None, "c": "x"}, {"a": 2, "b": True, "c": "x", "d": [1, 2]})
    )
    assert [(one.name, one.before, one.after) for one in found] == [
        ("a", "1", "2"),
        ("b", "", "Yes"),
        ("d", "", "1, 2"),
    ]
    assert audit_labels.changes(entry("x.create", "", None, {"empty": None})) == []


@pytest.mark.parametrize(
    ("action", "subject", "href"),
    [
        ("record.update", "My books/17", "/collections/My%20books/records/17"),
        ("record.delete", "My books/17", ""),
        ("collection.create", "Übung", "/collections/%C3%9Cbung"),
        ("record.update", "odd", ""),
        ("user.create", "a@example.com", ""),
    ],
)
def test_links_to_what_is_still_there(action: str, subject: str, href: str) -> None:
    assert audit_labels.subject_href(entry(action, subject)) == href


def test_every_column_is_shown_until_some_are_chosen() -> None:
    fields = tuple(field(kind, number) for number, kind in enumerate([*FieldType] * 3, 1))
    one = Collection(5, "c", "", fields, 0, datetime.now(UTC))
    assert chosen_columns(one, {}) == list(fields)
    assert chosen_columns(one, {"__Host-columns-5": ".".join(map(str, range(1, len(fields) + 1)))}) == list(fields)
    cookie = columns_cookie(one, [])
    assert [column.id for column in chosen_columns(one, {cookie.key: cookie.value or ""})] == [1]
    assert [column.id for column in chosen_columns(one, {cookie.key: "x.99.3"})] == [1, 3]


def test_days_of_the_audit_log_include_the_last() -> None:
    query = audit_query(Address("/audit", (("since", "2026-11-01"), ("until", "2026-11-22"))))
    assert query.since == datetime(2026, 11, 1, tzinfo=UTC)
    assert query.until == datetime(2026, 11, 23, tzinfo=UTC)
    assert audit_query(Address("/audit", (("until", "9999-12-31"),))).until is None


def test_small_words() -> None:
    assert filters.choice_options(("a",), "gone") == [("", "Choose one"), ("a", "a"), ("gone", "gone")]
    assert filters.without_scheme("https://example.com/") == "example.com"
    assert not filters.web_address("https://[bad")
    assert (writing.day("2026-11-02"), writing.day(date(2026, 11, 2))) == ("2 Nov 2026", "2 Nov 2026")
    assert writing.moment("2026-11-02T03:04:00+00:00") == "2 Nov 2026, 03:04 UTC"
    assert filters.file_icon("image/png") == "file-image"
    assert filters.rules(field(FieldType.TEXT, required=True)) == "Required"
