"""Sessions of the platform's staff, whom an owner lets look at the workspace."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS support_sessions (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    grant_id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'what the owner granted, as the platform names it',
    staff VARCHAR(254) NOT NULL,
    role VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    started_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    expires_at DATETIME(6) NOT NULL,
    ended_at DATETIME(6) NULL,
    KEY support_sessions_grant (grant_id),
    KEY support_sessions_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")
    op.execute("""CREATE TABLE IF NOT EXISTS ended_support_grants (
    grant_id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    ended_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS ended_support_grants")
    op.execute("DROP TABLE IF EXISTS support_sessions")
