"""Views of the tenants' list that staff save, and which one each sees first."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    of_staff = sa.ForeignKey("staff.id", name="fk_saved_views_staff_id_staff", ondelete="CASCADE")
    op.create_table(
        "saved_views",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("staff_id", sa.Uuid(), of_staff, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
    )
    op.create_index("ix_saved_views_staff_id", "saved_views", ["staff_id"])
    of_chooser = sa.ForeignKey("staff.id", name="fk_saved_view_choices_staff_id_staff", ondelete="CASCADE")
    of_view = sa.ForeignKey("saved_views.id", name="fk_saved_view_choices_view_id_saved_views", ondelete="CASCADE")
    op.create_table(
        "saved_view_choices",
        sa.Column("staff_id", sa.Uuid(), of_chooser, nullable=False),
        sa.Column("view_id", sa.BigInteger(), of_view, nullable=False),
        sa.PrimaryKeyConstraint("staff_id", name="pk_saved_view_choices"),
    )
    op.create_index("ix_saved_view_choices_view_id", "saved_view_choices", ["view_id"])


def downgrade() -> None:
    op.drop_table("saved_view_choices")
    op.drop_table("saved_views")
