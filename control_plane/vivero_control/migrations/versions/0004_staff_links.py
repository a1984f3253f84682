"""One-time links by mail, for staff."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_table(
        "staff_links",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_staff_links_staff_id_staff"),
        sa.PrimaryKeyConstraint("staff_id", name="pk_staff_links"),
        sa.UniqueConstraint("digest", name="uq_staff_links_digest"),
    )


def downgrade() -> None:
    op.drop_table("staff_links")
