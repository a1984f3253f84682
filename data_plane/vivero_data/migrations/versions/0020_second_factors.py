"""Second factors of logins, and recovery codes."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS second_factors (
    user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    secret VARBINARY(128) NOT NULL COMMENT 'of the authenticator app, sealed',
    active BOOLEAN NOT NULL COMMENT 'a code of it has come back',
    since DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    last_step BIGINT NOT NULL DEFAULT 0 COMMENT 'of the newest code that was used'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")
    op.execute("""CREATE TABLE IF NOT EXISTS recovery_codes (
    user_id BIGINT UNSIGNED NOT NULL,
    code_hash BINARY(32) NOT NULL COMMENT 'SHA-256',
    PRIMARY KEY (user_id, code_hash)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS recovery_codes")
    op.execute("DROP TABLE IF EXISTS second_factors")
