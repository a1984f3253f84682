"""A release that does not exist yet: the program's migrations and one more."""

import shutil
from pathlib import Path

NEWER = "0099"


def newer_migrations(migrations: Path, folder: Path, head: str, *, oldest_program: str, statement: str) -> Path:
    """A copy with revision NEWER after `head`, as the next release would have it."""
    copy = folder / "migrations"
    shutil.copytree(migrations, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / f"{NEWER}_of_a_later_release.py").write_text(
        "from alembic import op\n\n"
        f"revision = {NEWER!r}\n"
        f"down_revision = {head!r}\n"
        "branch_labels = None\n"
        "depends_on = None\n"
        f"oldest_program = {oldest_program!r}\n\n\n"
        "def upgrade() -> None:\n"
        f"    op.execute({statement!r})\n"
    )
    return copy
