"""What figures of the business are calculated from beside signups and billing: page loads by day, workspaces that worked."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_table(
        "site_visits",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("campaign", sa.String(length=100), nullable=False),
        sa.Column("visits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "source", "campaign", name="pk_site_visits"),
    )
    signup = sa.ForeignKey("signups.id", name="fk_signup_journeys_signup_id_signups", ondelete="CASCADE")
    op.create_table(
        "signup_journeys",
        sa.Column("signup_id", sa.String(length=32), signup, nullable=False),
        sa.Column("tenant_uid", sa.String(length=63), nullable=False),
        sa.Column("provisioned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("signup_id", name="pk_signup_journeys"),
    )
    op.create_index("ix_signup_journeys_tenant_uid", "signup_journeys", ["tenant_uid"])
    op.create_index("ix_signups_created_at", "signups", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_signups_created_at", "signups")
    op.drop_table("signup_journeys")
    op.drop_table("site_visits")
