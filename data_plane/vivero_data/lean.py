"""Makes optional packages look absent before anything else is imported, for a small and fast process.

structlog and Litestar load these when they find them, and nothing here uses
them: structlog its console colours through rich (5 MB, 45 ms), Litestar its
support for pydantic and attrs models and advanced-alchemy's paginators (the
latter drags SQLAlchemy in: 35 MB, 400 ms). `python -m vivero_data` calls this
first; tests do not.
"""

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final, cast

ABSENT: Final = ("advanced_alchemy", "attr", "attrs", "opentelemetry", "pydantic", "rich")


def apply(arguments: Sequence[str] = ()) -> None:
    """An entry of None makes `import` raise ModuleNotFoundError, as if it were not installed."""
    if "migrate" in arguments:
        return  # a short-lived process that needs SQLAlchemy anyway
    # importlib documents the None; the stub of sys does not know it.
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    for name in ABSENT:
        modules.setdefault(name, None)
