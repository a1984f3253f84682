"""What the migrations make is what the models say."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine
from vivero_control.db.database import url
from vivero_control.db.tables import Base
from vivero_control.settings import Settings

OWN = ("alembic_version", "schema_compatibility", "migration_lock")
"""Tables of the migrations themselves."""


def test_migrations_make_the_tables_that_the_models_have(settings: Settings) -> None:
    engine = create_engine(url(settings, "mariadb+pymysql"), connect_args={"ssl": settings.tls()})

    def is_of_a_model(name: str | None, kind: str, _: Any) -> bool:  # noqa: ANN401  the parents' names, by their kind
        return kind != "table" or name not in OWN

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_of_a_model})
        differences = compare_metadata(context, Base.metadata)
        without_models = compare_metadata(context, MetaData())
    engine.dispose()
    assert differences == []
    # The comparison sees differences at all: without models every table is one too many.
    assert len(without_models) >= len(Base.metadata.tables)
