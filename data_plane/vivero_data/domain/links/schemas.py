"""What a one-time link is for."""

from enum import StrEnum
from typing import Final

from vivero_web.links import INVITATION_VALID_FOR, RESET_VALID_FOR


class Purpose(StrEnum):
    """Why its holder may choose a password: they have an account, or they are to have one."""

    RESET = "reset"
    INVITATION = "invitation"


VALID_FOR: Final = {Purpose.RESET: RESET_VALID_FOR, Purpose.INVITATION: INVITATION_VALID_FOR}
"""How long, from when it was made."""
