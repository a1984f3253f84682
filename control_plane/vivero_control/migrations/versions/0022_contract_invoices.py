"""Invoices of contracts, their numbers and their documents."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_table(
        "invoice_numbers",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name="pk_invoice_numbers"),
    )
    contract = sa.ForeignKey("contracts.id", name="fk_contract_invoices_contract_id_contracts")
    corrects = sa.ForeignKey("contract_invoices.id", name="fk_contract_invoices_corrects_id_contract_invoices")
    op.create_table(
        "contract_invoices",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), contract, nullable=False),
        sa.Column("kind", sa.String(length=3), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("corrects_id", sa.BigInteger(), corrects, nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("payment_reference", sa.String(length=120), nullable=False),
        sa.Column("told_late", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_contract_invoices"),
        sa.UniqueConstraint("number", name="uq_contract_invoices_number"),
        sa.UniqueConstraint("corrects_id", name="uq_contract_invoices_corrects_id"),
        sa.UniqueConstraint("contract_id", "kind", "period_from", name="uq_contract_invoices_period"),
    )
    op.create_index("ix_contract_invoices_due_on", "contract_invoices", ["due_on"])
    invoice = sa.ForeignKey("contract_invoices.id", name="fk_invoice_documents_invoice_id_contract_invoices")
    op.create_table(
        "invoice_documents",
        sa.Column("invoice_id", sa.BigInteger(), invoice, autoincrement=False, nullable=False),
        sa.Column("pdf", mysql.MEDIUMBLOB(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("invoice_id", name="pk_invoice_documents"),
    )


def downgrade() -> None:
    op.drop_table("invoice_documents")
    op.drop_table("contract_invoices")
    op.drop_table("invoice_numbers")
