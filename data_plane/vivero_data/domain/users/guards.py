"""Who may do what; the services ask, so API and pages cannot differ."""

from vivero_web.errors import NotAllowedError

from vivero_data.domain.users.schemas import Actor, Role


def demand(actor: Actor, role: Role) -> None:
    """Refuse an actor whose role does not include `role`.

    Raises:
        NotAllowedError: naming the role that could.
    """
    if not actor.role.includes(role):
        raise NotAllowedError(f"This needs the role {role.value}; yours is {actor.role.value}. An owner can change it.")


def demand_may_set(actor: Actor, current: Role | None, wanted: Role) -> None:
    """Only owners make and unmake owners and admins; admins manage members and viewers.

    Raises:
        NotAllowedError: the actor's role is too low.
    """
    demand(actor, Role.ADMIN)
    high = {Role.OWNER, Role.ADMIN}
    if wanted in high or current in high:
        demand(actor, Role.OWNER)
