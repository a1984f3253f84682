"""Signups whose owner has confirmed the address, the links for that, and the one trial of a person."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.add_column("signups", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "signup_links",
        sa.Column("digest", sa.String(length=64), nullable=False),
        _signup("signup_links"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_signup_links"),
    )
    op.create_index("ix_signup_links_signup_id", "signup_links", ["signup_id"])
    op.create_index("ix_signup_links_expires_at", "signup_links", ["expires_at"])
    op.create_table(
        "trials",
        sa.Column("person", sa.String(length=64), nullable=False),
        _signup("trials"),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_trials"),
        sa.UniqueConstraint("signup_id", name="uq_trials_signup_id"),
    )


def downgrade() -> None:
    op.drop_table("trials")
    op.drop_table("signup_links")
    op.drop_column("signups", "confirmed_at")


def _signup(table: str) -> sa.Column[str]:
    key = sa.ForeignKey("signups.id", name=f"fk_{table}_signup_id_signups", ondelete="CASCADE")
    return sa.Column("signup_id", sa.String(length=32), key, nullable=False)
