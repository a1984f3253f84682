"""What sessions were begun with, and when they were last seen.

Programs from before leave these columns as they are: such a session is of an unknown device.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""ALTER TABLE sessions ADD COLUMN IF NOT EXISTS user_agent VARCHAR(200) NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' COMMENT 'as limits count it',
    ADD COLUMN IF NOT EXISTS last_seen_at DATETIME(6) NULL COMMENT 'when it last got an access token'""")


def downgrade() -> None:
    op.execute(
        "ALTER TABLE sessions DROP COLUMN IF EXISTS user_agent, DROP COLUMN IF EXISTS address, DROP COLUMN IF EXISTS last_seen_at"
    )
