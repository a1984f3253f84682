"""A field can get another column: its number stays.

`id` goes on naming the column, as programs before this revision have it, so that they find a field's values whatever
became of it; the number that a field keeps is `field_id`, or `id` where it is NULL.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    op.execute("""ALTER TABLE fields ADD COLUMN IF NOT EXISTS field_id BIGINT UNSIGNED NULL
    COMMENT 'the number that it keeps when it gets another column; id where NULL'""")


def downgrade() -> None:
    op.execute("ALTER TABLE fields DROP COLUMN IF EXISTS field_id")
