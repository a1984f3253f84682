from pathlib import Path

import pytest
from vivero_web import migration_lock

ROOT = Path(__file__).parents[3]
PROGRAMS = ("control_plane", "core", "data_plane", "operator", "web")


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_locks_by_a_name_that_every_account_of_the_server_can_take(program: str) -> None:
    found = [str(one) for one in (ROOT / program).rglob("*.py") if "GET_LOCK(" in one.read_text()]
    assert found == []


class Holder:
    """Keeps what it is asked to do."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def exec_driver_sql(self, statement: str) -> None:
        self.done.append(statement)

    def commit(self) -> None:
        self.done.append("COMMIT")


def test_the_lock_is_taken_in_a_transaction_that_nothing_else_is_in() -> None:
    """DDL commits: what makes the table comes before, and nothing after."""
    holder = Holder()
    migration_lock.take(holder, 7)
    *before, commit, take = holder.done
    assert (commit, take) == ("COMMIT", migration_lock.TAKE)
    assert "innodb_lock_wait_timeout = 7, lock_wait_timeout = 7" in before[0]
    assert before[1:] == list(migration_lock.MADE)
