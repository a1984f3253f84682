CREATE TABLE IF NOT EXISTS alembic_version (
    version_num VARCHAR(32) NOT NULL,
    PRIMARY KEY (version_num)
);

CREATE TABLE IF NOT EXISTS users (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL COMMENT 'lower case',
    name VARCHAR(120) NOT NULL,
    role ENUM('owner','admin','member','viewer') NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'argon2id PHC string',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    last_login_at DATETIME(6) NULL,
    UNIQUE KEY users_email (email)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS sessions (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    expires_at DATETIME(6) NOT NULL,
    revoked_at DATETIME(6) NULL,
    KEY sessions_user (user_id),
    KEY sessions_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one login and the family of refresh tokens that follows';

CREATE TABLE IF NOT EXISTS refresh_tokens (
    token_hash BINARY(32) NOT NULL PRIMARY KEY COMMENT 'SHA-256',
    session_id BIGINT UNSIGNED NOT NULL,
    issued_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    spent_at DATETIME(6) NULL,
    KEY refresh_tokens_session (session_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS login_attempts (
    email_hash BINARY(32) NOT NULL PRIMARY KEY COMMENT 'SHA-256, so that typos of people are not kept',
    failures INT UNSIGNED NOT NULL,
    blocked_until DATETIME(6) NULL,
    last_at DATETIME(6) NOT NULL,
    KEY login_attempts_last (last_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS spent_tickets (
    jti VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    expires_at DATETIME(6) NOT NULL,
    KEY spent_tickets_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS counters (
    name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='what the plan limits, and the source of collection and field ids';

INSERT IGNORE INTO counters (name, value)
VALUES ('records', 0), ('users', 0), ('storage_bytes', 0), ('object_ids', 0);

CREATE TABLE IF NOT EXISTS collections (
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'names its table, c_<id>',
    name VARCHAR(64) NOT NULL,
    description VARCHAR(500) NOT NULL,
    records BIGINT UNSIGNED NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    UNIQUE KEY collections_name (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS fields (
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'names its column, f_<id>',
    collection_id BIGINT UNSIGNED NOT NULL,
    position INT UNSIGNED NOT NULL,
    name VARCHAR(64) NOT NULL,
    type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    required BOOLEAN NOT NULL,
    is_unique BOOLEAN NOT NULL,
    indexed BOOLEAN NOT NULL,
    default_value TEXT NOT NULL COMMENT 'JSON',
    choices TEXT NOT NULL COMMENT 'JSON',
    UNIQUE KEY fields_name (collection_id, name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS files (
    id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    size BIGINT UNSIGNED NOT NULL COMMENT 'bytes before encryption',
    media_type VARCHAR(127) CHARACTER SET ascii NOT NULL,
    state ENUM('uploading','stored','deleting') NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    created_by VARCHAR(254) NOT NULL COMMENT 'e-mail',
    KEY files_listing (state, created_at, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS audit_log (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    actor VARCHAR(254) NOT NULL COMMENT 'e-mail, or system',
    action VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(320) NOT NULL,
    before_values MEDIUMTEXT NULL COMMENT 'JSON',
    after_values MEDIUMTEXT NULL COMMENT 'JSON',
    request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    KEY audit_log_at (at),
    KEY audit_log_actor (actor),
    KEY audit_log_action (action),
    KEY audit_log_subject (subject(100))
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS schema_compatibility (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    oldest_program VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'newest revision it knows'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one row';

INSERT INTO schema_compatibility (id, oldest_program) VALUES (1, '0001') ON DUPLICATE KEY UPDATE oldest_program = VALUES(oldest_program);

CREATE TABLE IF NOT EXISTS workspace (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    name VARCHAR(80) NOT NULL,
    public_url VARCHAR(300) NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one row';

ALTER TABLE collections ADD COLUMN IF NOT EXISTS label VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL COMMENT 'the name as given',
    ADD COLUMN IF NOT EXISTS name_key VARCHAR(192) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL COMMENT 'the name without case, folded to 3 times its length',
    ADD UNIQUE KEY IF NOT EXISTS collections_name_key (name_key);

ALTER TABLE fields ADD COLUMN IF NOT EXISTS label VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL COMMENT 'the name as given',
    ADD COLUMN IF NOT EXISTS is_exact BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'how is_unique compares';

ALTER TABLE audit_log ADD COLUMN IF NOT EXISTS address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin
    NOT NULL DEFAULT '' COMMENT 'who asked, as limits count it; empty for the platform';

CREATE TABLE IF NOT EXISTS mail_links (
    user_id BIGINT UNSIGNED NOT NULL,
    purpose ENUM('reset','invitation') NOT NULL,
    token_hash BINARY(32) NOT NULL COMMENT 'SHA-256',
    expires_at DATETIME(6) NOT NULL,
    sent_at DATETIME(6) NULL COMMENT 'when the mail server took it',
    PRIMARY KEY (user_id, purpose),
    UNIQUE KEY mail_links_token (token_hash),
    KEY mail_links_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS jobs (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(320) NOT NULL COMMENT 'what it is about, for people',
    work MEDIUMTEXT NOT NULL COMMENT 'JSON',
    user_id BIGINT UNSIGNED NOT NULL COMMENT 'on whose behalf',
    state ENUM('waiting','running','done','failed') NOT NULL,
    running TINYINT UNSIGNED NULL COMMENT '1 while it runs: one at a time',
    attempts INT UNSIGNED NOT NULL DEFAULT 0,
    due_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    seen_at DATETIME(6) NULL COMMENT 'last sign of life',
    done BIGINT UNSIGNED NOT NULL DEFAULT 0,
    total BIGINT UNSIGNED NULL,
    result TEXT NULL COMMENT 'JSON',
    problem VARCHAR(500) NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    ended_at DATETIME(6) NULL,
    UNIQUE KEY jobs_running (running),
    KEY jobs_due (state, due_at),
    KEY jobs_of (user_id, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

ALTER TABLE fields ADD COLUMN IF NOT EXISTS field_id BIGINT UNSIGNED NULL
    COMMENT 'the number that it keeps when it gets another column; id where NULL';

CREATE TABLE IF NOT EXISTS favourites (
    user_id BIGINT UNSIGNED NOT NULL,
    collection_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (user_id, collection_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

ALTER TABLE fields ADD COLUMN IF NOT EXISTS options TEXT NULL COMMENT 'JSON';

CREATE TABLE IF NOT EXISTS reports (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(64) NOT NULL,
    description VARCHAR(500) NOT NULL,
    collection_id BIGINT UNSIGNED NOT NULL,
    definition MEDIUMTEXT NOT NULL COMMENT 'JSON; fields by number',
    owner_id BIGINT UNSIGNED NOT NULL,
    shared BOOLEAN NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS api_keys (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT UNSIGNED NOT NULL COMMENT 'who made it, and on whose behalf it acts',
    name VARCHAR(80) NOT NULL,
    prefix CHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scopes VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'permissions, with spaces between',
    secret_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the whole token',
    old_hash BINARY(32) NULL COMMENT 'of the one before its rotation',
    old_until DATETIME(6) NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    expires_at DATETIME(6) NOT NULL,
    valid_days SMALLINT UNSIGNED NOT NULL,
    last_used_at DATETIME(6) NULL COMMENT 'to the minute',
    UNIQUE KEY api_keys_prefix (prefix),
    KEY api_keys_user (user_id, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS workspace_settings (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    time_zone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'IANA name',
    number_notation VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'how 1234.5 is written',
    date_notation VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'how 29 November 2026 is written'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one row';

ALTER TABLE files ADD COLUMN IF NOT EXISTS source BOOLEAN NOT NULL DEFAULT FALSE
    COMMENT 'read by an import, in no list';

CREATE TABLE IF NOT EXISTS imports (
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
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS import_batches (
    import_id BIGINT UNSIGNED NOT NULL,
    last_row BIGINT UNSIGNED NOT NULL,
    refused INT UNSIGNED NOT NULL COMMENT 'rows in failures',
    written MEDIUMBLOB NULL COMMENT 'JSON, deflated: what undoing needs',
    failures MEDIUMBLOB NULL COMMENT 'JSON, deflated: refused rows with their cells',
    PRIMARY KEY (import_id, last_row)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS record_changes (
    collection_id BIGINT UNSIGNED NOT NULL,
    record_id BIGINT UNSIGNED NOT NULL,
    version INT UNSIGNED NOT NULL COMMENT 'of the record after the last change that is in here',
    since INT UNSIGNED NOT NULL COMMENT 'from this version on every change is in here',
    fields TEXT NOT NULL COMMENT 'JSON: by field id, the version that its last change made',
    changed_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (collection_id, record_id),
    KEY record_changes_at (changed_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS views (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    collection_id BIGINT UNSIGNED NOT NULL,
    name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    name_key VARCHAR(192) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL COMMENT 'the name without case, folded to 3 times its length',
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
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS structures (
    collection_id BIGINT UNSIGNED NOT NULL PRIMARY KEY
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='locked in share by who writes records, alone by who changes what fields there are';

INSERT IGNORE INTO structures (collection_id) SELECT id FROM collections;

CREATE TABLE IF NOT EXISTS trash (
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
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS trashed_records (
    trash_id BIGINT UNSIGNED NOT NULL,
    record_id BIGINT UNSIGNED NOT NULL,
    content LONGTEXT NOT NULL COMMENT 'JSON: the row as texts, by column',
    PRIMARY KEY (trash_id, record_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

ALTER TABLE sessions ADD COLUMN IF NOT EXISTS user_agent VARCHAR(200) NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' COMMENT 'as limits count it',
    ADD COLUMN IF NOT EXISTS last_seen_at DATETIME(6) NULL COMMENT 'when it last got an access token';

ALTER TABLE fields ADD COLUMN IF NOT EXISTS counter BIGINT UNSIGNED NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS dashboards (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(64) NOT NULL,
    tiles MEDIUMTEXT NOT NULL COMMENT 'JSON; collections by number',
    shared BOOLEAN NOT NULL,
    home TINYINT UNSIGNED NULL COMMENT '1 of the one that the home page shows',
    owner_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    UNIQUE KEY dashboards_home (home)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS second_factors (
    user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    secret VARBINARY(128) NOT NULL COMMENT 'of the authenticator app, sealed',
    active BOOLEAN NOT NULL COMMENT 'a code of it has come back',
    since DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    last_step BIGINT NOT NULL DEFAULT 0 COMMENT 'of the newest code that was used'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS recovery_codes (
    user_id BIGINT UNSIGNED NOT NULL,
    code_hash BINARY(32) NOT NULL COMMENT 'SHA-256',
    PRIMARY KEY (user_id, code_hash)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS webhooks (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT UNSIGNED NOT NULL COMMENT 'who made it, and is told when it ends',
    url VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    collection_id BIGINT UNSIGNED NULL COMMENT 'NULL: of all',
    events VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'with spaces between',
    secret VARBINARY(128) NOT NULL COMMENT 'of signatures, sealed',
    active BOOLEAN NOT NULL DEFAULT TRUE,
    failing_since DATETIME(6) NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS webhook_messages (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    webhook_id BIGINT UNSIGNED NOT NULL,
    message VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the header webhook-id',
    event VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    body MEDIUMTEXT NOT NULL COMMENT 'JSON',
    attempts INT UNSIGNED NOT NULL DEFAULT 0,
    due_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    KEY webhook_messages_due (due_at),
    KEY webhook_messages_of (webhook_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='what was not delivered yet';

CREATE TABLE IF NOT EXISTS webhook_attempts (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    webhook_id BIGINT UNSIGNED NOT NULL,
    at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    message VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    event VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number INT UNSIGNED NOT NULL,
    status SMALLINT UNSIGNED NULL,
    problem VARCHAR(255) NOT NULL,
    next_at DATETIME(6) NULL,
    KEY webhook_attempts_of (webhook_id, id),
    KEY webhook_attempts_at (at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS idempotency_keys (
    user_id BIGINT UNSIGNED NOT NULL,
    key_hash BINARY(32) NOT NULL COMMENT 'SHA-256',
    fingerprint BINARY(32) NOT NULL COMMENT 'of the request',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    claimed_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    committed BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'set in the transaction of the write',
    answer MEDIUMBLOB NULL COMMENT 'sealed',
    PRIMARY KEY (user_id, key_hash),
    KEY idempotency_keys_created (created_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS record_comments (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    collection_id BIGINT UNSIGNED NOT NULL,
    record_id BIGINT UNSIGNED NOT NULL,
    user_id BIGINT UNSIGNED NOT NULL COMMENT 'who wrote it',
    text TEXT NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    edited_at DATETIME(6) NULL,
    KEY record_comments_of (collection_id, record_id, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS samples (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    template VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    made TEXT NOT NULL COMMENT 'JSON; numbers of collections, reports and the dashboard',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS email_changes (
    user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL COMMENT 'lower case',
    token_hash BINARY(32) NOT NULL COMMENT 'SHA-256',
    expires_at DATETIME(6) NOT NULL,
    UNIQUE KEY email_changes_token (token_hash),
    KEY email_changes_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS workspace_exports (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    ready BOOLEAN NOT NULL DEFAULT FALSE,
    size BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'bytes before encryption',
    records BIGINT UNSIGNED NOT NULL DEFAULT 0,
    files BIGINT UNSIGNED NOT NULL DEFAULT 0,
    created_by VARCHAR(254) NOT NULL COMMENT 'e-mail',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    expires_at DATETIME(6) NOT NULL,
    KEY workspace_exports_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS workspace_export_pieces (
    export_id BIGINT UNSIGNED NOT NULL,
    number INT UNSIGNED NOT NULL,
    object CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (export_id, number)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='objects of the bucket, each noted before it is stored';

CREATE TABLE IF NOT EXISTS report_schedules (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    subject ENUM('report','dashboard') NOT NULL,
    subject_id BIGINT UNSIGNED NOT NULL,
    every ENUM('day','week','month') NOT NULL,
    hour TINYINT UNSIGNED NOT NULL COMMENT 'in the time zone of the workspace',
    weekday TINYINT UNSIGNED NOT NULL COMMENT '0 is Monday; of weekly ones',
    day TINYINT UNSIGNED NOT NULL COMMENT 'of the month, or its last; of monthly ones',
    active BOOLEAN NOT NULL,
    next_at DATETIME(6) NOT NULL,
    ended VARCHAR(500) NOT NULL DEFAULT '' COMMENT 'why, if it was ended by itself',
    owner_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    KEY report_schedules_due (active, next_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS report_recipients (
    schedule_id BIGINT UNSIGNED NOT NULL,
    user_id BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (schedule_id, user_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS report_sendings (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    schedule_id BIGINT UNSIGNED NOT NULL,
    due_at DATETIME(6) NOT NULL,
    user_id BIGINT UNSIGNED NOT NULL,
    state ENUM('waiting','failed','skipped','sent') NOT NULL DEFAULT 'waiting',
    problem VARCHAR(500) NOT NULL DEFAULT '',
    ended_at DATETIME(6) NULL,
    UNIQUE KEY report_sendings_once (schedule_id, due_at, user_id),
    KEY report_sendings_age (due_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one mail of one period to one person';

ALTER TABLE files ADD COLUMN IF NOT EXISTS held BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'belongs to records';

CREATE TABLE IF NOT EXISTS record_files (
    file_id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    collection_id BIGINT UNSIGNED NOT NULL,
    record_id BIGINT UNSIGNED NOT NULL,
    attached_at DATETIME(6) NULL COMMENT 'of an attachment; else it is, or was, in a field',
    attached_by BIGINT UNSIGNED NULL COMMENT 'the user',
    checked_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when it was last found in use',
    PRIMARY KEY (file_id, collection_id, record_id),
    KEY record_files_of (collection_id, record_id),
    KEY record_files_checked (checked_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

ALTER TABLE trashed_records ADD KEY IF NOT EXISTS trashed_records_of (record_id);

ALTER TABLE counters ADD COLUMN IF NOT EXISTS told TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'per cent of its limit that owners were told of';

CREATE TABLE IF NOT EXISTS roles (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    name_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL COMMENT 'folded',
    files TINYINT(1) NOT NULL DEFAULT 0,
    rights LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL COMMENT 'JSON by the number of the collection',
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    UNIQUE KEY roles_name (name_key)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

ALTER TABLE users ADD COLUMN IF NOT EXISTS own_role BIGINT UNSIGNED NULL COMMENT 'in place of role';

CREATE TABLE IF NOT EXISTS person_notation (
    user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    time_zone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'NULL: the workspace''s, as below',
    number_notation VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'how 1234.5 is written',
    date_notation VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'how 29 November 2026 is written'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

ALTER TABLE views ADD COLUMN IF NOT EXISTS locked BOOLEAN NOT NULL DEFAULT FALSE AFTER is_default;

CREATE TABLE IF NOT EXISTS favourite_views (
    user_id BIGINT UNSIGNED NOT NULL,
    view_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (user_id, view_id),
    KEY view (view_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS login_rules (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    second_factor BOOLEAN NOT NULL COMMENT 'whether everybody needs one'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one row';

ALTER TABLE jobs ADD COLUMN IF NOT EXISTS traceparent CHAR(55) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'W3C Trace Context of the request; NULL: it was not traced';

CREATE TABLE IF NOT EXISTS support_sessions (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    grant_id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'what the owner granted, as the platform names it',
    staff VARCHAR(254) NOT NULL,
    role VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    started_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    expires_at DATETIME(6) NOT NULL,
    ended_at DATETIME(6) NULL,
    KEY support_sessions_grant (grant_id),
    KEY support_sessions_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

CREATE TABLE IF NOT EXISTS ended_support_grants (
    grant_id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    ended_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

INSERT INTO alembic_version (version_num) VALUES ('0035');
