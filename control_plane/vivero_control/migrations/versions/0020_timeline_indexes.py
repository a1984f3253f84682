"""Ranges of the audit log and of the jobs by whom they are about and when: a tenant's timeline reads them."""

from collections.abc import Sequence

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
oldest_program: str = "0001"


def upgrade() -> None:
    op.create_index("ix_audit_subject_at", "audit", ["subject", "at", "id"])
    op.create_index("ix_outbox_subject", "outbox", ["subject", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_outbox_subject", "outbox")
    op.drop_index("ix_audit_subject_at", "audit")
