"""The whole schema as SQL text, from Alembic, for the fast first install.

`python -m vivero_data.db.schema_file` writes `schema.sql` beside this file;
a test proves that it equals the migrations. Imports Alembic, so nothing in
the running server imports this module.
"""

import io
import re
import sys
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config

from vivero_data.db.compatibility import HEAD
from vivero_data.db.schema import SCHEMA_FILE, split

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"
_NOTE: Final = re.compile(r"(?:INSERT INTO|UPDATE) alembic_version\b")


def config(output: io.StringIO | None = None) -> Config:
    """Alembic's configuration, without a file."""
    made = Config(output_buffer=output) if output else Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.set_main_option("path_separator", "os")
    return made


def render() -> str:
    """The SQL of an upgrade from nothing to the newest revision, in a form that can be repeated."""
    output = io.StringIO()
    command.upgrade(config(output), "head", sql=True)
    lines = (line.rstrip() for line in output.getvalue().splitlines() if not line.startswith("--"))
    text = "\n".join(lines)
    # Alembic's own table is the one statement we do not write: a first install
    # that was interrupted after it must be able to begin again.
    text = text.replace("CREATE TABLE alembic_version", "CREATE TABLE IF NOT EXISTS alembic_version")
    text = text.replace("CONSTRAINT alembic_version_pkc ", "")  # MariaDB warns that it ignores the name
    # Alembic notes each revision; one note at the end, so that an install which
    # was interrupted between two of them does not look like an older schema.
    # What each migration says about older programs is repeated; once is enough.
    statements = dict.fromkeys(statement for statement in split(text) if not _NOTE.match(statement))
    note = f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}');"  # noqa: S608  our own constant
    return "\n\n".join([*statements, note]) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(render())
    sys.stdout.write(f"{SCHEMA_FILE}\n")
