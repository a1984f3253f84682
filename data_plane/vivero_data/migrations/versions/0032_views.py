"""Views that only who manages collections changes, and views that a person wants at hand."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE views ADD COLUMN IF NOT EXISTS locked BOOLEAN NOT NULL DEFAULT FALSE AFTER is_default")
    op.execute("""CREATE TABLE IF NOT EXISTS favourite_views (
    user_id BIGINT UNSIGNED NOT NULL,
    view_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (user_id, view_id),
    KEY view (view_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci""")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS favourite_views")
    op.execute("ALTER TABLE views DROP COLUMN IF EXISTS locked")
