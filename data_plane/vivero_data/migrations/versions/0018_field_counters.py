"""How far the automatic numbers of a field have come."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE fields ADD COLUMN IF NOT EXISTS counter BIGINT UNSIGNED NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE fields DROP COLUMN IF EXISTS counter")
