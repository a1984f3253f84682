"""Whom to invite."""

import msgspec

from vivero_data.domain.users.schemas import Role


class NewInvitation(msgspec.Struct, forbid_unknown_fields=True):
    """An account whose password its person chooses, by a link that is mailed to them."""

    email: str
    name: str = ""
    role: Role = Role.MEMBER
