"""Exports of the whole workspace, and the objects of the bucket that they consist of."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
oldest_program = "0001"

_OPTIONS = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci"


def upgrade() -> None:
    op.execute(f"""CREATE TABLE IF NOT EXISTS workspace_exports (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    ready BOOLEAN NOT NULL DEFAULT FALSE,
    size BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'bytes before encryption',
    records BIGINT UNSIGNED NOT NULL DEFAULT 0,
    files BIGINT UNSIGNED NOT NULL DEFAULT 0,
    created_by VARCHAR(254) NOT NULL COMMENT 'e-mail',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    expires_at DATETIME(6) NOT NULL,
    KEY workspace_exports_expiry (expires_at)
) {_OPTIONS}""")
    op.execute(f"""CREATE TABLE IF NOT EXISTS workspace_export_pieces (
    export_id BIGINT UNSIGNED NOT NULL,
    number INT UNSIGNED NOT NULL,
    object CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (export_id, number)
) {_OPTIONS} COMMENT='objects of the bucket, each noted before it is stored'""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS workspace_export_pieces")
    op.execute("DROP TABLE IF EXISTS workspace_exports")
