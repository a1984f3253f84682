"""Saved views of collections."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
oldest_program = "0001"

_EXACT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"


def upgrade() -> None:
    op.execute(f"""CREATE TABLE IF NOT EXISTS views (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    collection_id BIGINT UNSIGNED NOT NULL,
    name VARCHAR(64) {_EXACT} NOT NULL,
    name_key VARCHAR(192) {_EXACT} NOT NULL COMMENT 'the name without case, folded to 3 times its length',
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner_id BIGINT UNSIGNED NOT NULL COMMENT 'who saved it',
    scope BIGINT UNSIGNED NOT NULL COMMENT 'who sees it: 0 everybody, else its owner',
    is_default BOOLEAN NOT NULL DEFAULT FALSE,
    position INT UNSIGNED NOT NULL,
    spec MEDIUMTEXT NOT NULL COMMENT 'JSON, with fields by their numbers',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    UNIQUE KEY views_name (collection_id, scope, name_key),
    KEY views_position (collection_id, position)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS views")
