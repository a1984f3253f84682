"""One-time links by mail.

An invited user is a row that older programs understand: active, with a hash
that no password matches. The invitation in this table is what says so here.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS mail_links (
    user_id BIGINT UNSIGNED NOT NULL,
    purpose ENUM('reset','invitation') NOT NULL,
    token_hash BINARY(32) NOT NULL COMMENT 'SHA-256',
    expires_at DATETIME(6) NOT NULL,
    sent_at DATETIME(6) NULL COMMENT 'when the mail server took it',
    PRIMARY KEY (user_id, purpose),
    UNIQUE KEY mail_links_token (token_hash),
    KEY mail_links_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS mail_links")
