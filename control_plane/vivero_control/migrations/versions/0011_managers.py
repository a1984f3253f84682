"""People whom the owner of a workspace lets manage it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_table(
        "workspace_managers",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("named_by", sa.String(length=254), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspace_managers"),
        sa.UniqueConstraint("tenant_id", "email", name="uq_workspace_managers_tenant_id"),
    )
    op.create_index("ix_workspace_managers_email", "workspace_managers", ["email"])


def downgrade() -> None:
    op.drop_table("workspace_managers")
