"""Alembic's entry: migrates over the connection that db/migrate.py opened and locked."""

from advanced_alchemy.base import metadata_registry
from alembic import context

from vivero_control.db import tables  # noqa: F401  fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata_registry.get(),
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
