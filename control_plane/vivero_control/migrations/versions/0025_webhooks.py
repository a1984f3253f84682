"""Endpoints of webhooks, what was seen of tenants, their events, and attempts to tell of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("secret", mysql.VARBINARY(128), nullable=False),
        sa.Column("old_secret", mysql.VARBINARY(128), nullable=True),
        sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.String(length=254), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
    )
    op.create_table(
        "watched_tenants",
        sa.Column("uid", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=True),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("uid", name="pk_watched_tenants"),
    )
    op.create_index("ix_watched_tenants_gone_at", "watched_tenants", ["gone_at"])
    op.create_table(
        "tenant_events",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("tenant_uid", sa.String(length=63), nullable=False),
        sa.Column("tenant", sa.String(length=253), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenant_events"),
        sa.UniqueConstraint("message", name="uq_tenant_events_message"),
        sa.UniqueConstraint("tenant_uid", "sequence", name="uq_tenant_events_sequence"),
    )
    op.create_index("ix_tenant_events_at", "tenant_events", ["at"])
    endpoint = sa.ForeignKey(
        "webhook_endpoints.id", name="fk_webhook_attempts_endpoint_id_webhook_endpoints", ondelete="CASCADE"
    )
    event = sa.ForeignKey("tenant_events.id", name="fk_webhook_attempts_event_id_tenant_events", ondelete="CASCADE")
    op.create_table(
        "webhook_attempts",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), endpoint, nullable=False),
        sa.Column("event_id", sa.BigInteger(), event, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(length=255), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_attempts"),
    )
    op.create_index("ix_webhook_attempts_endpoint_id", "webhook_attempts", ["endpoint_id"])
    op.create_index("ix_webhook_attempts_event_id", "webhook_attempts", ["event_id"])


def downgrade() -> None:
    for table in ("webhook_attempts", "tenant_events", "watched_tenants", "webhook_endpoints"):
        op.drop_table(table)
