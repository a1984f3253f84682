"""Jobs: work that is done in a process of its own."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS jobs (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(320) NOT NULL COMMENT 'what it is about, for people',
    work MEDIUMTEXT NOT NULL COMMENT 'JSON',
    user_id BIGINT UNSIGNED NOT NULL COMMENT 'on whose behalf',
    state ENUM('waiting','running','done','failed') NOT NULL,
    running TINYINT UNSIGNED NULL COMMENT '1 while it runs: one at a time',
    attempts INT UNSIGNED NOT NULL DEFAULT 0,
    due_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    seen_at DATETIME(6) NULL COMMENT 'last sign of life',
    done BIGINT UNSIGNED NOT NULL DEFAULT 0,
    total BIGINT UNSIGNED NULL,
    result TEXT NULL COMMENT 'JSON',
    problem VARCHAR(500) NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    ended_at DATETIME(6) NULL,
    UNIQUE KEY jobs_running (running),
    KEY jobs_due (state, due_at),
    KEY jobs_of (user_id, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS jobs")
