"""Changes of an e-mail address that were not confirmed yet."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS email_changes (
    user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL COMMENT 'lower case',
    token_hash BINARY(32) NOT NULL COMMENT 'SHA-256',
    expires_at DATETIME(6) NOT NULL,
    UNIQUE KEY email_changes_token (token_hash),
    KEY email_changes_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS email_changes")
