"""Views that only who manages collections changes."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE views ADD COLUMN IF NOT EXISTS locked BOOLEAN NOT NULL DEFAULT FALSE AFTER is_default")


def downgrade() -> None:
    op.execute("ALTER TABLE views DROP COLUMN IF EXISTS locked")
