"""Requests of the API that came with an Idempotency-Key."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS idempotency_keys (
    user_id BIGINT UNSIGNED NOT NULL,
    key_hash BINARY(32) NOT NULL COMMENT 'SHA-256',
    fingerprint BINARY(32) NOT NULL COMMENT 'of the request',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    claimed_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    committed BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'set in the transaction of the write',
    answer MEDIUMBLOB NULL COMMENT 'sealed',
    PRIMARY KEY (user_id, key_hash),
    KEY idempotency_keys_created (created_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS idempotency_keys")
