"""What roles are called on pages, and what they mean; pure."""

from typing import Final

from vivero_data.domain.users.schemas import Actor, Role, User

ROLE_LABELS: Final = {
    Role.OWNER: ("Owner", "Everything, including other owners"),
    Role.ADMIN: ("Administrator", "Users, collections, audit log, and all a member can"),
    Role.MEMBER: ("Member", "Adds and changes records and files"),
    Role.VIEWER: ("Viewer", "Sees records and files"),
}
"""The roles that every workspace has."""
OWN_LABEL: Final = "One of this workspace's own roles"


def role_words(person: Actor | User) -> str:
    """What somebody's role is called."""
    known = ROLE_LABELS.get(person.role)
    return known[0] if known else person.role_name


def role_meaning(person: Actor | User) -> str:
    known = ROLE_LABELS.get(person.role)
    return known[1] if known else OWN_LABEL
