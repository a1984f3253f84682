"""What can be wrong with the audit log."""

from vivero_web.errors import WebError


class AuditLogError(WebError):
    """The table of the audit log is missing, or the database user lacks rights on it."""

    def __init__(self, table: str) -> None:
        super().__init__(f"The audit log cannot be used: the database user needs SELECT and INSERT on {table}.")
