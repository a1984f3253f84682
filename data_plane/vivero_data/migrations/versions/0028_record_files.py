"""Files that belong to records."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE files ADD COLUMN IF NOT EXISTS held BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'belongs to records'"
    )
    op.execute("""CREATE TABLE IF NOT EXISTS record_files (
    file_id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    collection_id BIGINT UNSIGNED NOT NULL,
    record_id BIGINT UNSIGNED NOT NULL,
    attached_at DATETIME(6) NULL COMMENT 'of an attachment; else it is, or was, in a field',
    attached_by BIGINT UNSIGNED NULL COMMENT 'the user',
    checked_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when it was last found in use',
    PRIMARY KEY (file_id, collection_id, record_id),
    KEY record_files_of (collection_id, record_id),
    KEY record_files_checked (checked_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")
    op.execute("ALTER TABLE trashed_records ADD KEY IF NOT EXISTS trashed_records_of (record_id)")


def downgrade() -> None:
    op.execute("ALTER TABLE trashed_records DROP KEY IF EXISTS trashed_records_of")
    op.execute("DROP TABLE IF EXISTS record_files")
    op.execute("ALTER TABLE files DROP COLUMN IF EXISTS held")
