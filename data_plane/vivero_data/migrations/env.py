"""How Alembic reaches the schema: a connection handed over by db/migrate.py, or none for SQL as text."""

from alembic import context
from vivero_web.schema_compatibility import record_oldest_program

from vivero_data.db.compatibility import TABLE


def run() -> None:
    connection = context.config.attributes.get("connection")
    # mariadb:// so that offline SQL is of the right dialect; no address, nothing connects.
    target = {"connection": connection} if connection is not None else {"dialect_name": "mariadb"}
    context.configure(
        **target, transactional_ddl=False, transaction_per_migration=True, on_version_apply=record_oldest_program(TABLE)
    )
    with context.begin_transaction():
        context.run_migrations()


run()
