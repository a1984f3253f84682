"""Where the owner of a signup came from."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.add_column("signups", sa.Column("lead", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("signups", "lead")
