"""Errors of the data plane only; all others are in `vivero_web.errors`."""

from vivero_web.errors import ConflictError, WebError


class IsolationError(WebError):
    """This workspace can access data of another one."""

    slug = "not-isolated"
    title = "This workspace is not isolated"


class PlanLimitError(WebError):
    """The plan's limit is reached."""

    status = 402
    slug = "plan-limit"
    title = "Your plan's limit is reached"


class PlanFeatureError(PlanLimitError):
    """The plan does not include what was asked for; what is there already stays and can be read."""

    slug = "plan-feature"
    title = "Your plan does not include this"


class OwnerUnconfirmedError(ConflictError):
    """The workspace mails nothing to others before its owner's address is confirmed."""

    slug = "owner-unconfirmed"
    title = "The owner's e-mail address is not confirmed"

    def __init__(self) -> None:
        super().__init__(
            "This workspace mails nothing to other people yet. Its owner first confirms the own e-mail address, by the link "
            "in the mail that came after the signup."
        )


class SettingsError(WebError):
    """The process cannot start as configured; the message names the variable or file."""
