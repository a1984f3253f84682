"""What the score of a lead is calculated from, and who looks after it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    of_sign = sa.ForeignKey("signups.id", name="fk_signup_signs_signup_id_signups", ondelete="CASCADE")
    op.create_table(
        "signup_signs",
        sa.Column("signup_id", sa.String(length=32), of_sign, nullable=False),
        sa.Column("sign", sa.String(length=24), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("signup_id", "sign", name="pk_signup_signs"),
    )
    of_route = sa.ForeignKey("signups.id", name="fk_lead_routes_signup_id_signups", ondelete="CASCADE")
    of_staff = sa.ForeignKey("staff.id", name="fk_lead_routes_staff_id_staff", ondelete="SET NULL")
    op.create_table(
        "lead_routes",
        sa.Column("signup_id", sa.String(length=32), of_route, nullable=False),
        sa.Column("staff_id", sa.Uuid(), of_staff, nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("signup_id", name="pk_lead_routes"),
    )
    op.create_index("ix_lead_routes_staff_id", "lead_routes", ["staff_id"])


def downgrade() -> None:
    op.drop_table("lead_routes")
    op.drop_table("signup_signs")
