"""Quotes, and the contracts that they become."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_table(
        "quotes",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("tenant_uid", sa.String(length=63), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=True),
        sa.Column("made_by", sa.String(length=254), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quotes"),
        sa.UniqueConstraint("link", name="uq_quotes_link"),
    )
    op.create_index("ix_quotes_state", "quotes", ["state"])
    quote = sa.ForeignKey("quotes.id", name="fk_contracts_quote_id_quotes")
    op.create_table(
        "contracts",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("quote_id", sa.BigInteger(), quote, nullable=False),
        sa.Column("tenant", sa.String(length=253), nullable=True),
        sa.Column("tenant_uid", sa.String(length=63), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("seller", sa.String(length=254), nullable=False),
        sa.Column("accepted_by", sa.String(length=120), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms_version", sa.String(length=20), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_of_end", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_contracts"),
        sa.UniqueConstraint("quote_id", name="uq_contracts_quote_id"),
    )
    op.create_index("ix_contracts_tenant_uid", "contracts", ["tenant_uid"])
    op.create_index("ix_contracts_ends_on", "contracts", ["ends_on"])


def downgrade() -> None:
    op.drop_table("contracts")
    op.drop_table("quotes")
