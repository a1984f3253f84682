"""Companies, by the domain of the addresses that were confirmed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    signup = sa.ForeignKey("signups.id", name="fk_companies_signup_id_signups", ondelete="CASCADE")
    op.create_table(
        "companies",
        sa.Column("domain", sa.String(length=254), nullable=False),
        sa.Column("signup_id", sa.String(length=32), signup, nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_companies"),
        sa.UniqueConstraint("signup_id", name="uq_companies_signup_id"),
    )


def downgrade() -> None:
    op.drop_table("companies")
