"""What channels cost, by month."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_table(
        "channel_costs",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(length=100, collation="utf8mb4_bin"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "channel", "currency", name="pk_channel_costs"),
    )


def downgrade() -> None:
    op.drop_table("channel_costs")
