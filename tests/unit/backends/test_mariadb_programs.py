"""Definers and names of schemas in the text of views, triggers and routines: what is cut out, what stays, what is refused."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from vivero_core.backends.mariadb.program import Program, ProgramError, of_shown, renamed, require_kind

IDENT = "abcdefghij"
SCHEMA, OTHER = f"vt{IDENT}", "vtzzzzzzzzzz"
ANSI, NO_BACKSLASHES = "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"


def shown(text: str, kind: str = "PROCEDURE", sql_mode: str = "") -> Program:
    return of_shown(kind, "x", text, SCHEMA, sql_mode=sql_mode)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("CREATE DEFINER=`root`@`localhost` PROCEDURE `x`()\nSELECT 1", "CREATE PROCEDURE `x`()\nSELECT 1"),
        ("CREATE DEFINER=`a role` PROCEDURE `x`() SELECT 1", "CREATE PROCEDURE `x`() SELECT 1"),
        ("CREATE DEFINER='a'@'%' PROCEDURE `x`() SELECT 1", "CREATE PROCEDURE `x`() SELECT 1"),
        (
            "CREATE ALGORITHM=MERGE DEFINER=`a`@`%` SQL SECURITY INVOKER VIEW `x` AS select 1",
            "CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW `x` AS select 1",
        ),
        ("CREATE OR REPLACE DEFINER=`a`@`%` trigger x before", "CREATE trigger x before"),
        ("CREATE DEFINER=`a``b DEFINER=`@`%` AGGREGATE FUNCTION `x`()", "CREATE AGGREGATE FUNCTION `x`()"),
        # Only the head has one.
        ("CREATE DEFINER=`a`@`%` PROCEDURE `x`() SELECT definer = 'b'", "CREATE PROCEDURE `x`() SELECT definer = 'b'"),
        ("CREATE PROCEDURE `x`() SELECT 'DEFINER=`b`@`%`'", "CREATE PROCEDURE `x`() SELECT 'DEFINER=`b`@`%`'"),
    ],
)
def test_the_definer_goes_and_nothing_else(text: str, kept: str) -> None:
    assert "".join(shown(text).parts) == kept


@pytest.mark.parametrize(
    ("text", "sql_mode", "changed"),
    [
        ("SELECT * FROM @.t", "", True),
        ("SELECT `@`.`t`.id FROM `@` . `t`", "", True),
        ("SELECT * FROM @ /* of */ .t", "", True),
        ('SELECT * FROM "@"."t"', ANSI, True),
        ("SELECT '\\' FROM @.t", NO_BACKSLASHES, True),
        ("/*!50003 INSERT INTO @.t VALUES (1) */", "", True),
        # A text, a comment, a column, a part of a longer name.
        ("SELECT '@.t'", "", False),
        ('SELECT "@.t"', "", False),
        ("SELECT 'it''s \\' @.t' -- @.t\n, 1 # @.t\n, 2 /* @.t */", "", False),
        ("SELECT a.@.b FROM a.@", "", False),
        ("SELECT x@.t, @x.t, `@x`.t", "", False),
    ],
)
def test_its_own_schema_is_what_a_name_is_qualified_with(text: str, sql_mode: str, *, changed: bool) -> None:
    text = "CREATE PROCEDURE `x`() " + text
    found = shown(text.replace("@", SCHEMA), sql_mode=sql_mode)
    assert found.statement(SCHEMA) == text.replace("@", SCHEMA)
    assert found.statement(OTHER) == text.replace("@", OTHER if changed else SCHEMA)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT * FROM @.t", False),
        ("SELECT 1 /* @.t */ -- @", False),
        ("SELECT * FROM t AS @", True),
        ("PREPARE s FROM 'DROP TABLE `@`.t'", True),
        ('PREPARE s FROM "DROP TABLE @.t"', True),
        ("SELECT * FROM `@next`.t", True),
        ("SELECT * FROM @audit.audit_log", True),
    ],
)
def test_what_may_still_mean_the_old_tenant_is_told(text: str, *, names: bool) -> None:
    assert shown(f"CREATE PROCEDURE `x`() {text}".replace("@", SCHEMA)).names(IDENT) is names
    assert shown(f"CREATE PROCEDURE `x`() {text}".replace("@", SCHEMA.upper())).names(IDENT) is names


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE `t`",
        "CREATE DEFINER=`root`@`localhost` PROCEDURE `x`() SELECT 1",
        "CREATE SQL SECURITY DEFINER DEFINER=root PROCEDURE `x`() SELECT 1",
        "CREATE OR REPLACE PROCEDURE `x`() SELECT 1",
        "CREATE USER `x`",
        "CREATE FUNCTION `x`() RETURNS INT RETURN 1",
        "CREATE /*! DEFINER=`root`@`localhost` */ PROCEDURE `x`() SELECT 1",
        "CREATE",
        "",
        "CREATE PROCEDURE `x`() SELECT 'no end",
    ],
)
def test_what_is_stored_as_a_procedure_and_makes_something_else_is_refused(text: str) -> None:
    with pytest.raises(ProgramError, match="procedure x"):
        require_kind(Program("PROCEDURE", "x", (text,)), OTHER)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("FUNCTION", "CREATE FUNCTION `x` RETURNS INT SONAME 'evil.so'"),
        ("FUNCTION", "CREATE AGGREGATE FUNCTION `a`.`x` RETURNS INT SONAME 'evil.so'"),
        ("EVENT", "CREATE EVENT `x` ON SCHEDULE EVERY 1 DAY DO SELECT 1"),
        ("TABLE", "CREATE TABLE `x` (id INT)"),
    ],
)
def test_a_function_of_a_library_and_what_is_no_program_are_refused(kind: str, text: str) -> None:
    with pytest.raises(ProgramError):
        require_kind(Program(kind, "x", (text,)), OTHER)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("FUNCTION", "CREATE FUNCTION `x`(a INT) RETURNS INT RETURN a"),
        ("FUNCTION", f"CREATE AGGREGATE FUNCTION `{OTHER}`.`x`(a INT) RETURNS INT RETURN a"),
        ("VIEW", "CREATE ALGORITHM=UNDEFINED SQL SECURITY DEFINER VIEW `x` AS select 1"),
        ("TRIGGER", "CREATE trigger x before insert on t for each row set @a = 1"),
        ("PACKAGE BODY", 'CREATE PACKAGE BODY "x" AS PROCEDURE y AS BEGIN NULL; END; END'),
    ],
)
def test_what_makes_one_is_not(kind: str, text: str) -> None:
    require_kind(Program(kind, "x", (text,), sql_mode=ANSI if '"' in text else ""), OTHER)


BLANKS = re.compile(r"(?:/\*[^*]*\*/|-- [^\n]*\n|[`\s])+\Z")
"""And comments, before a name; with its own quote."""
PIECES = st.lists(
    st.sampled_from([f"{SCHEMA}.t", f"`{SCHEMA}`.`t`", f"'{SCHEMA}.t'", f"'it''s \\' {SCHEMA}.t'", f"/* {SCHEMA}.t */"])
    | st.sampled_from([f"-- {SCHEMA}.t\n", "`a``b`", '"\\""', ".", ";", "BEGIN", "🌱", "é", "\\", "@", "''", "``"])
    | st.text(st.characters(exclude_characters="'\"`/*#", exclude_categories=["Cs"]), max_size=9),
    max_size=20,
)


@given(PIECES, st.booleans())
@example(pieces=[".", f"/* {SCHEMA}.t */", f"{SCHEMA}.t"], backslashes=False)
@example(pieces=[".", f"-- {SCHEMA}.t\n", f"{SCHEMA}.t"], backslashes=True)
def test_whatever_a_body_is_there_and_back_is_the_same(pieces: list[str], backslashes: bool) -> None:  # noqa: FBT001  drawn
    text = f"CREATE DEFINER=`root`@`localhost` PROCEDURE `x`() {' '.join(pieces)}"
    mode = "" if backslashes else NO_BACKSLASHES
    try:
        found = shown(text, sql_mode=mode)
    except ProgramError:
        return  # a quote without an end, as the server would say
    bare = text.replace("DEFINER=`root`@`localhost` ", "", 1)
    assert found.statement(SCHEMA) == bare
    assert Program.load(found.dump()) == found
    moved = found.statement(OTHER)
    assert of_shown("PROCEDURE", "x", moved, OTHER, sql_mode=mode).parts == found.parts
    assert moved.replace(OTHER, SCHEMA) == bare
    # Outside of texts and comments nothing is qualified with the old schema any more.
    assert not any(
        re.fullmatch(SCHEMA, one.token.text) and moved[one.end : one.end + 2].lstrip("`").startswith(".")
        for one in found.placed(OTHER)
        if one.token.text != f"{SCHEMA}.t" and not BLANKS.sub("", moved[: one.start]).endswith(".")
    )


def test_the_default_of_a_column_is_of_the_new_schemas_sequence() -> None:
    text = f"CREATE TABLE `t` (\n `id` int DEFAULT nextval(`{SCHEMA}`.`s`),\n `b` int COMMENT 'of {SCHEMA}.s')"
    assert renamed(text, SCHEMA, OTHER) == text.replace(f"`{SCHEMA}`", f"`{OTHER}`")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"kind": "VIEW"}', '{"kind": 1, "name": 2, "parts": []}'])
def test_what_is_no_program_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ProgramError):
        Program.load(text)


def test_one_that_is_not_shown_is_another_accounts() -> None:
    with pytest.raises(ProgramError, match=f"view v of {SCHEMA} belongs to another account"):
        of_shown("VIEW", "v", None, SCHEMA)
