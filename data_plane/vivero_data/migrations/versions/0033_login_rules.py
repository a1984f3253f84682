"""Whether everybody needs two-step login."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS login_rules (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    second_factor BOOLEAN NOT NULL COMMENT 'whether everybody needs one'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one row'""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS login_rules")
