"""Names of the whole world, and fields that are unique to the letter.

Only adds, so the keys on `name` stay, which take `Grosse` for `Größe`: a name
that they refuse is in `label`, and `name` holds a stand-in for programs that
know only that (domain/collections/repository.py). A later revision can give
`name` what `label` has, a collation that compares every character, and go on
without either.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
oldest_program = "0001"

_EXACT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL"


def upgrade() -> None:
    op.execute(f"""ALTER TABLE collections ADD COLUMN IF NOT EXISTS label VARCHAR(64) {_EXACT} COMMENT 'the name as given',
    ADD COLUMN IF NOT EXISTS name_key VARCHAR(192) {_EXACT} COMMENT 'the name without case, folded to 3 times its length',
    ADD UNIQUE KEY IF NOT EXISTS collections_name_key (name_key)""")
    op.execute(f"""ALTER TABLE fields ADD COLUMN IF NOT EXISTS label VARCHAR(64) {_EXACT} COMMENT 'the name as given',
    ADD COLUMN IF NOT EXISTS is_exact BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'how is_unique compares'""")


def downgrade() -> None:
    op.execute("ALTER TABLE collections DROP COLUMN IF EXISTS name_key, DROP COLUMN IF EXISTS label")
    op.execute("ALTER TABLE fields DROP COLUMN IF EXISTS is_exact, DROP COLUMN IF EXISTS label")
