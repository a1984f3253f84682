"""How a person wants numbers, dates and times, where they want them otherwise than the workspace."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS person_notation (
    user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    time_zone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'NULL: the workspace''s, as below',
    number_notation VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'how 1234.5 is written',
    date_notation VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'how 29 November 2026 is written'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS person_notation")
