"""When the workspace of a signup held its first record, and when it was in use by several people."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.add_column("signup_journeys", sa.Column("first_value_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("signup_journeys", sa.Column("active_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("signup_journeys", "active_at")
    op.drop_column("signup_journeys", "first_value_at")
