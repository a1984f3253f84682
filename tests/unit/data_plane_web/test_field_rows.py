from hypothesis import given
from hypothesis import strategies as st
from vivero_data.web.field_rows import MAX_ROWS, FieldRow, apply_action, first_rows, parse_rows


def test_rows_keep_their_order_and_what_was_typed() -> None:
    form = {
        "field-10-name": "Last",
        "field-2-name": " First ",
        "field-2-type": "choice",
        "field-2-choices": "red, green\nred\n\n blue",
        "field-2-required": "on",
        "csrf": "x",
        "field-x-name": "stranger",
    }
    first, last = parse_rows(form)
    assert (first.name, first.type, first.required, first.choice_list) == (
        " First ",
        "choice",
        True,
        ["red", "green", "blue"],
    )
    assert (last.name, last.type, last.required, last.choice_list) == ("Last", "text", False, [])


@given(st.dictionaries(st.from_regex(r"field-\d{1,4}-(name|type|other)", fullmatch=True) | st.text(), st.text()))
def test_any_form_gives_a_bounded_list(form: dict[str, str]) -> None:
    assert len(parse_rows(form)) <= MAX_ROWS


def test_buttons_add_and_remove() -> None:
    rows = [FieldRow(name="a"), FieldRow(name="b")]
    assert apply_action(rows, "add") == [*rows, FieldRow()]
    assert apply_action(rows, "remove-0") == [FieldRow(name="b")]
    assert apply_action(rows, "remove-9") == rows
    assert apply_action([FieldRow(name="only")], "remove-0") == [FieldRow()]
    assert apply_action(rows, "create") is None
    assert apply_action(rows, "remove-٣") is None
    full = [FieldRow()] * MAX_ROWS
    assert apply_action(full, "add") == full


def test_a_blank_row_is_one_without_a_name() -> None:
    assert all(row.blank for row in first_rows())
    assert not FieldRow(name="x").blank
