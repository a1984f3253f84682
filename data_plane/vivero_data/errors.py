"""What can go wrong in a workspace alone; all else is in `vivero_web.errors`."""

from vivero_web.errors import WebError


class IsolationError(WebError):
    """What belongs to another workspace is open to this one."""

    slug = "not-isolated"
    title = "This workspace is not isolated"


class PlanLimitError(WebError):
    """The plan's limit is reached."""

    status = 402
    slug = "plan-limit"
    title = "Your plan's limit is reached"


class SettingsError(WebError):
    """The process cannot start as configured; the message names the variable or file."""
