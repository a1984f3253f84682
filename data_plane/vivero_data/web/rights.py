"""Pages ask for a permission before they show a form; the services check again, for everyone."""

from vivero_web.errors import NotAllowedError

from vivero_data.domain.users.schemas import Permission, Role, roles_with
from vivero_data.web.page import Visit


def require(visit: Visit, permission: Permission, action: str) -> None:
    """Refuse who has not the permission.

    Raises:
        NotAllowedError: saying who may, or who can give the right.
    """
    if visit.actor.may(permission):
        return
    if Role.MEMBER in roles_with(permission):
        raise NotAllowedError(
            f"Your role is {visit.actor.role}. To {action}, ask an administrator to make you a member."
        )
    raise NotAllowedError(f"Only administrators and the owner of this workspace can {action}.")
