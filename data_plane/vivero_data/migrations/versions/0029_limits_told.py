"""Which level of a limit the owners were told of."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE counters ADD COLUMN IF NOT EXISTS told TINYINT UNSIGNED NOT NULL DEFAULT 0"
        " COMMENT 'per cent of its limit that owners were told of'"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE counters DROP COLUMN IF EXISTS told")
