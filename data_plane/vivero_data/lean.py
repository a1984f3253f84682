"""Hides optional packages before anything else is imported, for a small and fast process.

Libraries import these if they are installed, and we do not use them. Measured
on Python 3.13: `python -m vivero_data` calls this first; tests do not.

- pydantic, attr, attrs: Litestar's support for their models: 8 MB, 90 ms
- rich: structlog's console colours: 5 MB, 45 ms
- greenlet: structlog's thread-locals; needed by SQLAlchemy alone: 1.1 MB
- readline: pdb, which Litestar imports for its debugger: 0.8 MB
- watchfiles: uvicorn's reloader: 0.7 MB
- opentelemetry: Litestar's instrumentation, if installed

One is ours, and seldom: cryptography verifies login tickets. PyJWT and asyncmy
load all of it as soon as they find it (9.7 MB), for algorithms that neither a
token of ours nor MariaDB has. So it is hidden while they are imported.
"""

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final, cast

ABSENT: Final = (
    "attr",
    "attrs",
    "greenlet",
    "opentelemetry",
    "pydantic",
    "readline",
    "rich",
    "watchfiles",
)

UNTIL_NEEDED: Final = ("cryptography",)


def apply(arguments: Sequence[str] = ()) -> None:
    """An entry of None makes `import` raise ModuleNotFoundError, as if it were not installed."""
    if "migrate" in arguments:
        return  # a short-lived process that needs SQLAlchemy anyway
    # importlib documents the None; the stub of sys does not know it.
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    for name in (*ABSENT, *UNTIL_NEEDED):
        modules.setdefault(name, None)


def end_of_imports() -> None:
    """What we need now and then can be imported from here on; the libraries have been loaded without it."""
    for name in UNTIL_NEEDED:
        if name in sys.modules and sys.modules[name] is None:
            del sys.modules[name]
