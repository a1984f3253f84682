"""Spans of SQL statements: their shape, without any value."""

import re
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Final

from vivero_core.tracing.spans import NOT_KEPT, Kind, Span, kept, span

SYSTEM: Final = {"db.system.name": "mariadb"}
SHAPE_MAX: Final = 1000
"""Characters of a statement that are looked at: of an INSERT of 200 rows the first say all."""
_QUOTED_NAME: Final = r"(`[^`]*(?:`|$))"
_VALUE: Final = re.compile(
    rf"{_QUOTED_NAME}|'(?:[^'\\]|\\.|'')*(?:'|\\?$)|\"(?:[^\"\\]|\\.|\"\")*(?:\"|\\?$)|\b[0-9][\w.]*(?:(?<=[eE])[+-][0-9]+)?",
    re.DOTALL,
)
_VERB: Final = re.compile(r"\s*(?:SET STATEMENT\s.*?\sFOR\s+)?([A-Z]+)", re.IGNORECASE | re.DOTALL)
_TABLE: Final = re.compile(r"\b(?:FROM|INTO|UPDATE|TABLE)\s+((?:`?\w+`?\.)?`?\w+`?)", re.IGNORECASE)


def statement_span(sql: str) -> AbstractContextManager[Span | None]:
    """A call of MariaDB, if what is under way is kept."""
    if not kept():
        return NOT_KEPT
    name, shape = described(sql[:SHAPE_MAX])
    return span(name, Kind.CLIENT, {**SYSTEM, "db.query.text": shape})


@lru_cache(maxsize=128)
def described(sql: str) -> tuple[str, str]:
    """A name of few values, such as `SELECT users`, and the statement with `?` for each text and number."""
    shape = " ".join(_VALUE.sub(lambda found: found[1] or "?", sql).split())
    verb, table = _VERB.match(shape), _TABLE.search(shape)
    words = (verb[1].upper() if verb else "SQL", table[1].replace("`", "") if table else "")
    return " ".join(filter(None, words)), shape
