"""Jobs with a budget of time: until when one is tried, whom it is about, and an index for each kind by itself."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("subject", sa.String(length=120), nullable=True), if_not_exists=True)
    op.add_column("outbox", sa.Column("gives_up_at", sa.DateTime(timezone=True), nullable=True), if_not_exists=True)
    op.create_index("ix_outbox_kind_due", "outbox", ["kind", "state", "due_at"], unique=False, if_not_exists=True)


def downgrade() -> None:
    op.drop_index("ix_outbox_kind_due", "outbox")
    op.drop_column("outbox", "gives_up_at")
    op.drop_column("outbox", "subject")
