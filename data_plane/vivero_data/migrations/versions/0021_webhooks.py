"""Webhooks, what waits to be sent to them, and what was sent."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS webhooks (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT UNSIGNED NOT NULL COMMENT 'who made it, and is told when it ends',
    url VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    collection_id BIGINT UNSIGNED NULL COMMENT 'NULL: of all',
    events VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'with spaces between',
    secret VARBINARY(128) NOT NULL COMMENT 'of signatures, sealed',
    active BOOLEAN NOT NULL DEFAULT TRUE,
    failing_since DATETIME(6) NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")
    op.execute("""CREATE TABLE IF NOT EXISTS webhook_messages (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    webhook_id BIGINT UNSIGNED NOT NULL,
    message VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the header webhook-id',
    event VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    body MEDIUMTEXT NOT NULL COMMENT 'JSON',
    attempts INT UNSIGNED NOT NULL DEFAULT 0,
    due_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    KEY webhook_messages_due (due_at),
    KEY webhook_messages_of (webhook_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='what was not delivered yet'""")
    op.execute("""CREATE TABLE IF NOT EXISTS webhook_attempts (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    webhook_id BIGINT UNSIGNED NOT NULL,
    at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    message VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    event VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number INT UNSIGNED NOT NULL,
    status SMALLINT UNSIGNED NULL,
    problem VARCHAR(255) NOT NULL,
    next_at DATETIME(6) NULL,
    KEY webhook_attempts_of (webhook_id, id),
    KEY webhook_attempts_at (at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS webhook_attempts")
    op.execute("DROP TABLE IF EXISTS webhook_messages")
    op.execute("DROP TABLE IF EXISTS webhooks")
