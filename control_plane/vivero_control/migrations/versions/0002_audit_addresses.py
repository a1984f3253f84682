"""The audit log: where an entry came from, what was only seen here, and finding the newest of a kind."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.add_column("audit", sa.Column("address", sa.String(length=45), nullable=False, server_default=""))
    op.add_column("audit", sa.Column("source", sa.String(length=64), nullable=True))
    op.create_unique_constraint("uq_audit_source", "audit", ["source"])
    op.create_index("ix_audit_action", "audit", ["action", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_audit_action", table_name="audit")
    op.drop_constraint("uq_audit_source", "audit", type_="unique")
    op.drop_column("audit", "source")
    op.drop_column("audit", "address")
