"""In which version each field of a record changed last, so that changes of different fields can be merged."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""CREATE TABLE IF NOT EXISTS record_changes (
    collection_id BIGINT UNSIGNED NOT NULL,
    record_id BIGINT UNSIGNED NOT NULL,
    version INT UNSIGNED NOT NULL COMMENT 'of the record after the last change that is in here',
    since INT UNSIGNED NOT NULL COMMENT 'from this version on every change is in here',
    fields TEXT NOT NULL COMMENT 'JSON: by field id, the version that its last change made',
    changed_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (collection_id, record_id),
    KEY record_changes_at (changed_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS record_changes")
