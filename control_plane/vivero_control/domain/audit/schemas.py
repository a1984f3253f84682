"""One line of the audit log."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what to what, why, from where (empty for the platform itself), and what came of it."""

    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    detail: dict[str, Any]
    outcome: str
    address: str = ""
