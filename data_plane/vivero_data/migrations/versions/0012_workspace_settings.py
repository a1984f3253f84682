"""The time zone and the notations that a workspace has chosen."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS workspace_settings (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    time_zone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'IANA name',
    number_notation VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'how 1234.5 is written',
    date_notation VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'how 29 November 2026 is written'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one row'""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS workspace_settings")
