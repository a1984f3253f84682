"""Reports and dashboards that are sent by e-mail, to whom, and what came of each sending."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
oldest_program = "0001"

_OPTIONS = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci"


def upgrade() -> None:
    op.execute(f"""CREATE TABLE IF NOT EXISTS report_schedules (
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
) {_OPTIONS}""")
    op.execute(f"""CREATE TABLE IF NOT EXISTS report_recipients (
    schedule_id BIGINT UNSIGNED NOT NULL,
    user_id BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (schedule_id, user_id)
) {_OPTIONS}""")
    op.execute(f"""CREATE TABLE IF NOT EXISTS report_sendings (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    schedule_id BIGINT UNSIGNED NOT NULL,
    due_at DATETIME(6) NOT NULL,
    user_id BIGINT UNSIGNED NOT NULL,
    state ENUM('waiting','failed','skipped','sent') NOT NULL DEFAULT 'waiting',
    problem VARCHAR(500) NOT NULL DEFAULT '',
    ended_at DATETIME(6) NULL,
    UNIQUE KEY report_sendings_once (schedule_id, due_at, user_id),
    KEY report_sendings_age (due_at)
) {_OPTIONS} COMMENT='one mail of one period to one person'""")


def downgrade() -> None:
    for table in ("report_sendings", "report_recipients", "report_schedules"):
        op.execute(f"DROP TABLE IF EXISTS {table}")
