"""Pages ask for a right before they show a form; the services check again, for everyone."""

from vivero_web.errors import NotAllowedError

from vivero_data.web.page import Visit


def require_manager(visit: Visit, action: str) -> None:
    """Refuse those below administrator.

    Raises:
        NotAllowedError: saying who may.
    """
    if not visit.can.manage:
        raise NotAllowedError(f"Only administrators and the owner of this workspace can {action}.")


def require_writer(visit: Visit, action: str) -> None:
    """Refuse viewers.

    Raises:
        NotAllowedError: saying who can give the right.
    """
    if not visit.can.write:
        raise NotAllowedError(f"Your role is viewer. To {action}, ask an administrator to make you a member.")
