"""From when to when a subscription is paused."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.add_column("billing_subscriptions", sa.Column("paused_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("billing_subscriptions", sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("billing_subscriptions", "paused_until")
    op.drop_column("billing_subscriptions", "paused_from")
