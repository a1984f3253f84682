"""Which program versions may run on a schema: a compatibility window that migrations store in the schema (ADR 0016).

Revisions are four digits, so that strings compare like numbers: a program
need not know a newer revision to recognize that it is newer.
"""

from collections.abc import Callable
from typing import Any


def incompatibility(revision: str, oldest: str | None, head: str) -> str | None:
    """Why a program that knows revisions up to `head` may not run on a schema ahead of it; None if it may.

    `oldest` is the oldest program that the schema allows.
    """
    if oldest is not None and oldest <= head:
        return None
    allowed = f"only programs that know revision {oldest} may use it" if oldest else "it does not say who may use it"
    return (
        f"The schema is at revision {revision} and {allowed}; this program knows revisions up to {head}."
        " Start a newer release, or restore a backup from before the upgrade."
    )


def record_oldest_program(table: str) -> Callable[..., None]:
    """Alembic's hook after each migration (migrations/env.py): stores its `oldest_program`.

    `table` is the statement that creates the table `schema_compatibility`.
    """

    def record(ctx: Any, step: Any, **_: object) -> None:  # noqa: ANN401  as Alembic calls it
        if not step.is_upgrade:
            return
        oldest = step.up_revision.module.oldest_program
        ctx.impl.execute(table)
        ctx.impl.execute(
            f"INSERT INTO schema_compatibility (id, oldest_program) VALUES (1, '{oldest}')"  # noqa: S608  a migration's constant
            " ON DUPLICATE KEY UPDATE oldest_program = VALUES(oldest_program)"
        )

    return record
