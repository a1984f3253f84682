"""MariaDB's error numbers: transient, so that a retry may succeed, or a fault of the statement."""

from typing import Final

_NOT_REACHED: Final = frozenset({2002, 2003, 2005, 2006, 2013, 2014, 2026, 2055})
"""The driver's own: no connection, or none any more."""
_CLOSED: Final = frozenset({1053, 1152, 1158, 1159, 1160, 1161, 1927, 4031})
"""The server shuts down, or has ended the connection."""
_FULL: Final = frozenset({1040, 1129, 1135, 1203, 1226})
"""No room for another connection, of this login or at all."""
_NOT_LET_IN: Final = frozenset({1044, 1045, 1049, 1130, 1698, 1820, 1862, 4151})
"""No login or schema yet: a tenant is being made, or a password is being changed."""
_READ_ONLY: Final = frozenset({1290, 1836})
"""The server is a replica for the moment, or being moved."""
_GAVE_UP: Final = frozenset({1180, 1205, 1213, 1317, 1969})
"""It ended one statement for the others' sake: locks, deadlocks, its time limit, an administrator."""

_PASSING: Final = _NOT_REACHED | _CLOSED | _FULL | _NOT_LET_IN | _READ_ONLY | _GAVE_UP


def passes(code: int) -> bool:
    """Whether the error is transient: of the server or the connection, not of the statement."""
    return code in _PASSING
