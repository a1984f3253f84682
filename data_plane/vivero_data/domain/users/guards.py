"""Who may do what; the services ask, so API and pages cannot differ."""

from vivero_web.errors import NotAllowedError

from vivero_data.domain.users.schemas import Actor, Permission, Role, roles_with


def demand(actor: Actor, permission: Permission) -> None:
    """Refuse an actor who has not the permission.

    Raises:
        NotAllowedError: naming the roles that have it.
    """
    if not actor.may(permission):
        raise NotAllowedError(
            f"This needs the role {' or '.join(roles_with(permission))}; yours is {actor.role}. An owner can change it."
        )


def demand_may_set(actor: Actor, current: Role | None, wanted: Role) -> None:
    """Who manages users gives and takes all roles but those that manage users themselves.

    Raises:
        NotAllowedError: the actor has not the permission.
    """
    demand(actor, Permission.MANAGE_USERS)
    high = roles_with(Permission.MANAGE_USERS)
    if wanted in high or current in high:
        demand(actor, Permission.MANAGE_ADMINS)
