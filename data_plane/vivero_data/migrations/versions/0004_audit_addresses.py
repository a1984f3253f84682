"""Where an entry of the audit log came from."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""ALTER TABLE audit_log ADD COLUMN IF NOT EXISTS address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin
    NOT NULL DEFAULT '' COMMENT 'who asked, as limits count it; empty for the platform'""")


def downgrade() -> None:
    op.execute("ALTER TABLE audit_log DROP COLUMN IF EXISTS address")
