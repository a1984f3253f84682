"""Who may do what; the services ask, so API and pages cannot differ."""

from vivero_web.errors import NotAllowedError

from vivero_data.domain.users.schemas import Actor, Permission, Role, roles_with


def needed(permission: Permission) -> str:
    """The roles that have it, in words."""
    return f"the role {' or '.join(roles_with(permission))}"


def demand(actor: Actor, permission: Permission) -> None:
    """Refuse an actor who has not the permission.

    Raises:
        NotAllowedError: naming the roles that have it.
    """
    if not actor.may(permission):
        raise NotAllowedError(f"This needs {needed(permission)}; yours is {actor.role}. An owner can change it.")


def demand_may_set(actor: Actor, current: Role | None, wanted: Role) -> None:
    """Who manages users gives and takes all roles but those that manage users themselves.

    Raises:
        NotAllowedError: the actor has not the permission.
    """
    demand(actor, Permission.MANAGE_USERS)
    high = roles_with(Permission.MANAGE_USERS)
    if wanted in high or current in high:
        demand(actor, Permission.MANAGE_ADMINS)
