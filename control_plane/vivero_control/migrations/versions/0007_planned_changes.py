"""The plan that begins with the next period of a subscription."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.add_column("billing_subscriptions", sa.Column("next_plan", sa.String(length=253), nullable=True))


def downgrade() -> None:
    op.drop_column("billing_subscriptions", "next_plan")
