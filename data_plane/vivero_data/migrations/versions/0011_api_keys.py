"""API keys."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS api_keys (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT UNSIGNED NOT NULL COMMENT 'who made it, and on whose behalf it acts',
    name VARCHAR(80) NOT NULL,
    prefix CHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scopes VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'permissions, with spaces between',
    secret_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the whole token',
    old_hash BINARY(32) NULL COMMENT 'of the one before its rotation',
    old_until DATETIME(6) NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    expires_at DATETIME(6) NOT NULL,
    valid_days SMALLINT UNSIGNED NOT NULL,
    last_used_at DATETIME(6) NULL COMMENT 'to the minute',
    UNIQUE KEY api_keys_prefix (prefix),
    KEY api_keys_user (user_id, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS api_keys")
