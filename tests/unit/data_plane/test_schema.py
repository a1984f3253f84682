import re

import pytest
from alembic.script import ScriptDirectory
from asyncmy.errors import IntegrityError, OperationalError, ProgrammingError
from vivero_data.db import schema, schema_file
from vivero_data.db.errors import translate

STATEMENTS = schema.split(schema.SCHEMA_FILE.read_text())
REPEATABLE = re.compile(
    r"CREATE TABLE IF NOT EXISTS|INSERT IGNORE|DROP TABLE IF EXISTS|UPDATE |DELETE "
    r"|ALTER TABLE \S+ (?:(?:ADD|DROP|MODIFY|CHANGE) (?:COLUMN|INDEX|KEY)? ?IF (?:NOT )?EXISTS)"
)


def test_the_schema_file_is_what_the_migrations_make() -> None:
    assert schema_file.render() == schema.SCHEMA_FILE.read_text()


def test_the_program_knows_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(schema_file.config()).get_heads() == [schema.HEAD]


def test_an_interrupted_install_can_begin_again() -> None:
    *others, last = STATEMENTS
    assert last == f"INSERT INTO alembic_version (version_num) VALUES ('{schema.HEAD}');"  # noqa: S608  compared, not run
    assert [statement for statement in others if not REPEATABLE.match(statement)] == []


def test_the_drivers_percent_signs_are_not_in_the_way() -> None:
    assert not [statement for statement in STATEMENTS if "%" in statement]


def test_a_lock_is_for_one_schema() -> None:
    assert schema.lock_name("vtabc") != schema.lock_name("vtabd")
    assert len(schema.lock_name("x" * 64)) == 64


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (IntegrityError(1062, "Duplicate entry 'a' for key 'users_email'"), "DuplicateKeyError"),
        (IntegrityError(1048, "Column 'x' cannot be null"), "DatabaseError"),
        (ProgrammingError(1146, "Table 'x' doesn't exist"), "MissingTableError"),
        (ProgrammingError(1064, "syntax"), "DatabaseError"),
        (OperationalError(1213, "Deadlock"), "UnavailableError"),
        (OperationalError(2013, "Lost connection"), "UnavailableError"),
        (OperationalError("no number"), "UnavailableError"),
        (ConnectionResetError(), "UnavailableError"),
        (TimeoutError(), "UnavailableError"),
    ],
)
def test_the_drivers_errors_become_ours(error: BaseException, kind: str) -> None:
    translated = translate(error)
    assert type(translated).__name__ == kind
    assert getattr(translated, "key", "users_email") == "users_email"
