"""Orders for all tenants that match a filter, and what became of each."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_table(
        "bulk_runs",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_runs"),
    )
    op.create_index("ix_bulk_runs_made_at", "bulk_runs", ["made_at"])
    run = sa.ForeignKey("bulk_runs.id", name="fk_bulk_items_run_id_bulk_runs", ondelete="CASCADE")
    op.create_table(
        "bulk_items",
        sa.Column("run_id", sa.BigInteger(), run, nullable=False),
        sa.Column("tenant", sa.String(length=253), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("begun", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "tenant", name="pk_bulk_items"),
    )


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulk_runs")
