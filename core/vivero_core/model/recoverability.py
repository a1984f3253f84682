"""Which settings of a server keep its binary log whole: without them a restore to a second would silently lack changes.

Figures and reasons: docs/backup.md. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

KEPT_SECONDS: Final = 3 * 86_400
"""How long the server keeps its log at least: an archiver that was away so long heals its gap from it."""


@dataclass(frozen=True, slots=True)
class _Setting:
    wanted: str
    holds: Callable[[str], bool]
    harm: str


def _is(*values: str) -> Callable[[str], bool]:
    return lambda value: value.upper() in values


def _kept_long_enough(value: str) -> bool:
    return value == "0" or (value.isdigit() and int(value) >= KEPT_SECONDS)


_SETTINGS: Final[Mapping[str, _Setting]] = {
    "log_bin": _Setting("ON", _is("ON", "1"), "nothing is logged"),
    "binlog_format": _Setting("ROW", _is("ROW"), "statements may have another effect when they are run again"),
    "binlog_row_image": _Setting("FULL", _is("FULL"), "rows are logged in part"),
    "binlog_checksum": _Setting("CRC32", _is("CRC32"), "damage of the log is not detected"),
    "sync_binlog": _Setting("1", _is("1"), "a crash loses what was committed from the log"),
    "innodb_flush_log_at_trx_commit": _Setting("1", _is("1"), "a crash loses what was committed"),
    "binlog_expire_logs_seconds": _Setting(
        f"0 or at least {KEPT_SECONDS}", _kept_long_enough, "the log is gone before it is archived"
    ),
    # With the format ROW nothing runs a function out of the log: there is nobody to be deceived (ADR 0049).
    "log_bin_trust_function_creators": _Setting(
        "ON", _is("ON", "1"), "a tenant's triggers and functions cannot be restored"
    ),
}
_LOG, _EXPIRY = "log_bin", "binlog_expire_logs_seconds"
VARIABLES: Final = tuple(_SETTINGS)
"""The server's variables that the rule is about."""


def kept_until(variables: Mapping[str, str], written: datetime) -> datetime | None:
    """When a server of these variables has dropped what it logged then; None: it logs nothing, or drops nothing by itself."""
    kept = variables.get(_EXPIRY, "")
    logs = _SETTINGS[_LOG].holds(variables.get(_LOG, ""))
    return written + timedelta(seconds=int(kept)) if logs and kept.isdigit() and int(kept) else None


def shortcomings(variables: Mapping[str, str]) -> list[str]:
    """What is wrong with a server of these variables, a phrase each; a variable that it does not have is wrong, too."""
    return [
        f"{name} is {variables.get(name, 'unknown')} and has to be {setting.wanted} ({setting.harm})"
        for name, setting in _SETTINGS.items()
        if not setting.holds(variables.get(name, ""))
    ]
