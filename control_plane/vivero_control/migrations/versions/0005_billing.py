"""Customers of the payment provider, and what it has of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"

TABLES = (
    "billing_differences",
    "billing_invoices",
    "billing_subscriptions",
    "billing_checkouts",
    "billing_customers",
)


def upgrade() -> None:
    op.create_table(
        "billing_customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_uid", sa.String(length=63), nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        _moment("created_at"),
        _moment("applied_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_billing_customers"),
        sa.UniqueConstraint("tenant_uid", name="uq_billing_customers_tenant_uid"),
        sa.UniqueConstraint("provider_id", name="uq_billing_customers_provider_id"),
    )
    op.create_table(
        "billing_checkouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        *_price(),
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        _moment("expires_at"),
        _moment("created_at"),
        *_of_customer("billing_checkouts"),
    )
    _index("billing_checkouts")
    op.create_table(
        "billing_subscriptions",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        *_price(),
        _moment("period_start"),
        _moment("period_end"),
        sa.Column("ends_with_period", sa.Boolean(), nullable=False),
        _moment("created_at"),
        *_of_customer("billing_subscriptions"),
    )
    _index("billing_subscriptions")
    op.create_table(
        "billing_invoices",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("charge", sa.String(length=320), nullable=True),
        sa.Column("number", sa.String(length=64), nullable=True),
        sa.Column("subscription", sa.String(length=255), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        _moment("period_start"),
        _moment("period_end"),
        _moment("created_at"),
        sa.Column("page_url", sa.String(length=2048), nullable=True),
        sa.Column("pdf_url", sa.String(length=2048), nullable=True),
        *_of_customer("billing_invoices"),
        sa.UniqueConstraint("customer_id", "charge", name="uq_billing_invoices_charge"),
    )
    op.create_table(
        "billing_differences",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        _moment("found_at"),
        *_of_customer("billing_differences"),
        sa.UniqueConstraint("key", name="uq_billing_differences_key"),
    )
    _index("billing_differences")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _price() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("plan", sa.String(length=253), nullable=False),
        sa.Column("interval", sa.String(length=8), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
    )


def _of_customer(table: str) -> tuple[sa.Constraint, ...]:
    name = f"fk_{table}_customer_id_billing_customers"
    return (
        sa.ForeignKeyConstraint(["customer_id"], ["billing_customers.id"], name=name),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def _index(table: str) -> None:
    op.create_index(f"ix_{table}_customer_id", table, ["customer_id"])
