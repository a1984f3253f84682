"""Schema compatibility; rules for migrations; datetimes in columns."""

import io
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic import command
from alembic.script import Script, ScriptDirectory
from sqlalchemy.dialects import mysql
from vivero_control.db.compatibility import HEAD, SchemaTooNewError, is_ahead, require_compatible
from vivero_control.db.migrate import alembic_config
from vivero_control.db.tables import UtcDateTime

MIGRATIONS = list(reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions())))
CONTRACTS = re.compile(r"\b(?:DROP|RENAME|CHANGE|MODIFY|TRUNCATE)\b|\bDELETE FROM\b")


def test_the_program_knows_the_newest_revision() -> None:
    assert MIGRATIONS[-1].revision == HEAD


def test_revisions_are_numbers_that_grow_by_one() -> None:
    assert [one.revision for one in MIGRATIONS] == [f"{number:04}" for number in range(1, len(MIGRATIONS) + 1)]


def test_the_oldest_program_never_gets_older_and_is_one_that_there_is() -> None:
    oldest = [one.module.oldest_program for one in MIGRATIONS]
    assert oldest == sorted(oldest)
    assert all("0001" <= window <= one.revision for window, one in zip(oldest, MIGRATIONS, strict=True))


@pytest.mark.parametrize("one", MIGRATIONS, ids=lambda one: one.revision)
def test_contracting_migrations_are_incompatible_with_older_programs(one: Script) -> None:
    """Expand and contract, as `vivero_control/migrations/__init__.py` says."""
    output = io.StringIO()
    command.upgrade(alembic_config(output=output), f"{one.down_revision or 'base'}:{one.revision}", sql=True)
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


def test_its_own_schema_is_not_ahead() -> None:
    assert not is_ahead(HEAD)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (datetime(2026, 7, 1, 14, 30, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 7, 1, 12, 30, tzinfo=UTC)),
        (datetime(2026, 7, 1, 14, 30, tzinfo=UTC), datetime(2026, 7, 1, 14, 30, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_datetime_is_stored_in_utc_and_read_as_aware(given: datetime | None, kept: datetime | None) -> None:
    column, dialect = UtcDateTime(), mysql.dialect()
    stored = column.process_bind_param(given, dialect)
    assert stored == kept
    without_zone = stored and stored.replace(tzinfo=None)  # as MariaDB has it
    assert column.process_result_value(without_zone, dialect) == kept


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(TypeError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 7, 1), mysql.dialect())  # noqa: DTZ001  what is refused
