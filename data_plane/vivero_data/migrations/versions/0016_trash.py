"""What is deleted is kept for 30 days, and the fields of a collection change under a lock of their own."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
oldest_program = "0001"

_TABLE = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci"


def upgrade() -> None:
    op.execute(f"""CREATE TABLE IF NOT EXISTS structures (
    collection_id BIGINT UNSIGNED NOT NULL PRIMARY KEY
) {_TABLE} COMMENT='locked in share by who writes records, alone by who changes what fields there are'""")
    op.execute("INSERT IGNORE INTO structures (collection_id) SELECT id FROM collections")
    op.execute(f"""CREATE TABLE IF NOT EXISTS trash (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(320) NOT NULL COMMENT 'what it is, for people',
    collection_id BIGINT UNSIGNED NULL,
    column_id BIGINT UNSIGNED NULL COMMENT 'names a column that no field has meanwhile, f_<column_id>',
    items BIGINT UNSIGNED NOT NULL COMMENT 'how many records come back',
    content MEDIUMTEXT NOT NULL COMMENT 'JSON',
    deleted_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    deleted_by VARCHAR(254) NOT NULL COMMENT 'e-mail',
    KEY trash_age (deleted_at),
    KEY trash_collection (collection_id, column_id)
) {_TABLE}""")
    op.execute(f"""CREATE TABLE IF NOT EXISTS trashed_records (
    trash_id BIGINT UNSIGNED NOT NULL,
    record_id BIGINT UNSIGNED NOT NULL,
    content LONGTEXT NOT NULL COMMENT 'JSON: the row as texts, by column',
    PRIMARY KEY (trash_id, record_id)
) {_TABLE}""")


def downgrade() -> None:
    for table in ("trashed_records", "trash", "structures"):
        op.execute(f"DROP TABLE IF EXISTS {table}")
