"""Whom to invite."""

import msgspec
from vivero_web.fields import Email, PersonName

from vivero_data.domain.users.schemas import Role


class NewInvitation(msgspec.Struct, forbid_unknown_fields=True):
    """An account whose password its person chooses, by a link that is mailed to them."""

    email: Email
    name: PersonName = ""
    role: Role = Role.MEMBER
