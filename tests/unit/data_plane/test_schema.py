import io
import re

import pytest
from alembic import command
from alembic.script import Script, ScriptDirectory
from asyncmy.errors import IntegrityError, OperationalError, ProgrammingError
from vivero_data.db import schema, schema_file
from vivero_data.db.compatibility import HEAD, SchemaTooNewError, is_ahead, require_compatible
from vivero_data.db.errors import translate

MIGRATIONS = list(reversed(list(ScriptDirectory.from_config(schema_file.config()).walk_revisions())))
STATEMENTS = schema.split(schema.SCHEMA_FILE.read_text())
CONTRACTS = re.compile(r"\b(?:DROP|RENAME|CHANGE|MODIFY|TRUNCATE)\b|\bDELETE FROM\b")
REPEATABLE = re.compile(
    r"CREATE TABLE IF NOT EXISTS|INSERT IGNORE|INSERT INTO .* ON DUPLICATE KEY UPDATE |DROP TABLE IF EXISTS|UPDATE |DELETE "
    r"|ALTER TABLE \S+ (?:(?:ADD|DROP|MODIFY|CHANGE) (?:COLUMN|INDEX|KEY)? ?IF (?:NOT )?EXISTS)"
)


def test_the_schema_file_is_what_the_migrations_make() -> None:
    assert schema_file.render() == schema.SCHEMA_FILE.read_text()


def test_the_program_knows_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(schema_file.config()).get_heads() == [HEAD]


def test_an_interrupted_install_can_begin_again() -> None:
    *others, last = STATEMENTS
    assert last == f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}');"  # noqa: S608  compared, not run
    assert [statement for statement in others if not REPEATABLE.match(statement)] == []


def test_the_drivers_percent_signs_are_not_in_the_way() -> None:
    assert not [statement for statement in STATEMENTS if "%" in statement]


def test_revisions_are_numbers_that_grow_by_one() -> None:
    assert [one.revision for one in MIGRATIONS] == [f"{number:04}" for number in range(1, len(MIGRATIONS) + 1)]


def test_the_oldest_program_never_gets_older_and_is_one_that_there_is() -> None:
    oldest = [one.module.oldest_program for one in MIGRATIONS]
    assert oldest == sorted(oldest)
    assert all("0001" <= window <= one.revision for window, one in zip(oldest, MIGRATIONS, strict=True))


@pytest.mark.parametrize("one", MIGRATIONS, ids=lambda one: one.revision)
def test_contracting_migrations_are_incompatible_with_older_programs(one: Script) -> None:
    """Expand and contract, as `vivero_data/migrations/__init__.py` says."""
    output = io.StringIO()
    command.upgrade(schema_file.config(output), f"{one.down_revision or 'base'}:{one.revision}", sql=True)
    taken = CONTRACTS.findall(output.getvalue())
    assert not taken or one.module.oldest_program == one.revision, taken


@pytest.mark.parametrize(
    ("revision", "oldest", "may"),
    [
        ("0099", "0001", True),
        ("0099", HEAD, True),
        ("0099", "0098", False),
        ("0099", None, False),
        ("a-branch", "a-branch", False),
    ],
)
def test_a_program_may_run_on_a_newer_compatible_schema(revision: str, oldest: str | None, may: bool) -> None:  # noqa: FBT001  a column of the table
    assert is_ahead(revision)
    if may:
        require_compatible(revision, oldest)
    else:
        with pytest.raises(SchemaTooNewError, match=f"revision {revision} .* up to {HEAD}"):
            require_compatible(revision, oldest)


def test_its_own_and_older_schemas_are_not_ahead() -> None:
    assert not is_ahead(HEAD)
    assert not is_ahead("0001")


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
