"""Roles that a workspace defines for itself."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS roles (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    name_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL COMMENT 'folded',
    files TINYINT(1) NOT NULL DEFAULT 0,
    rights LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL COMMENT 'JSON by the number of the collection',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    UNIQUE KEY roles_name (name_key)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")
    op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS own_role BIGINT UNSIGNED NULL COMMENT 'in place of role'")


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP COLUMN IF EXISTS own_role")
    op.execute("DROP TABLE IF EXISTS roles")
