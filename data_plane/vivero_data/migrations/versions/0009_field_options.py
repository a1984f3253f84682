"""What a field's definition says besides its type: the currency of money, the colours of choices."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE fields ADD COLUMN IF NOT EXISTS options TEXT NULL COMMENT 'JSON'")


def downgrade() -> None:
    op.execute("ALTER TABLE fields DROP COLUMN IF EXISTS options")
