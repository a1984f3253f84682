"""Imports: files that become records, and what undoing them needs."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""ALTER TABLE files ADD COLUMN IF NOT EXISTS source BOOLEAN NOT NULL DEFAULT FALSE
    COMMENT 'read by an import, in no list'""")
    op.execute("""CREATE TABLE IF NOT EXISTS imports (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT UNSIGNED NOT NULL COMMENT 'on whose behalf',
    created_by VARCHAR(254) NOT NULL COMMENT 'e-mail',
    collection_id BIGINT UNSIGNED NULL COMMENT 'null until the import has made it',
    collection_name VARCHAR(64) NOT NULL,
    makes BOOLEAN NOT NULL COMMENT 'it makes the collection',
    file_id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    file_name VARCHAR(255) NOT NULL,
    file_size BIGINT UNSIGNED NOT NULL,
    job_id BIGINT UNSIGNED NULL COMMENT 'the last one',
    attempt BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'fencing: an older attempt writes nothing more',
    state ENUM('waiting','running','ready','done','failed','undoing','undone') NOT NULL,
    asks BOOLEAN NOT NULL COMMENT 'a person looks at the plan before rows are written',
    mode ENUM('insert','upsert') NOT NULL,
    key_name VARCHAR(64) NULL,
    dry_run BOOLEAN NOT NULL,
    mapping MEDIUMTEXT NOT NULL COMMENT 'JSON, as given',
    reading MEDIUMTEXT NULL COMMENT 'JSON, once the file was read',
    last_row BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'rows up to it are dealt with',
    total BIGINT UNSIGNED NULL,
    done BIGINT UNSIGNED NOT NULL DEFAULT 0,
    inserted BIGINT UNSIGNED NOT NULL DEFAULT 0,
    updated BIGINT UNSIGNED NOT NULL DEFAULT 0,
    unchanged BIGINT UNSIGNED NOT NULL DEFAULT 0,
    failed BIGINT UNSIGNED NOT NULL DEFAULT 0,
    kept BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'by undoing: changed since',
    problem VARCHAR(500) NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    ended_at DATETIME(6) NULL,
    KEY imports_of (user_id, id),
    KEY imports_age (created_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")
    op.execute("""CREATE TABLE IF NOT EXISTS import_batches (
    import_id BIGINT UNSIGNED NOT NULL,
    last_row BIGINT UNSIGNED NOT NULL,
    refused INT UNSIGNED NOT NULL COMMENT 'rows in failures',
    written MEDIUMBLOB NULL COMMENT 'JSON, deflated: what undoing needs',
    failures MEDIUMBLOB NULL COMMENT 'JSON, deflated: refused rows with their cells',
    PRIMARY KEY (import_id, last_row)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS import_batches")
    op.execute("DROP TABLE IF EXISTS imports")
    op.execute("ALTER TABLE files DROP COLUMN IF EXISTS source")
