"""Alembic's entry: migrates over the connection that db/migrate.py opened and locked, or prints SQL without one."""

from typing import Any

from alembic import context
from vivero_web.schema_compatibility import record_oldest_program

from vivero_control.db.compatibility import TABLE
from vivero_control.db.tables import Base


def _is_ours(name: str | None, kind: str, _: Any) -> bool:  # noqa: ANN401  the parents' names, by their kind
    """Leaves out the tables of `record_oldest_program` and of the lock, which are no model's."""
    return kind != "table" or name not in ("schema_compatibility", "migration_lock")


connection = context.config.attributes.get("connection")
target: dict[str, Any] = {"connection": connection} if connection is not None else {"dialect_name": "mariadb"}
context.configure(
    **target,
    target_metadata=Base.metadata,
    compare_type=True,
    include_name=_is_ours,
    on_version_apply=record_oldest_program(TABLE),
)
with context.begin_transaction():
    context.run_migrations()
