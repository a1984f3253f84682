"""Who the workspace is, which the operator tells while it runs."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS workspace (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    name VARCHAR(80) NOT NULL,
    public_url VARCHAR(300) NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one row'""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS workspace")
