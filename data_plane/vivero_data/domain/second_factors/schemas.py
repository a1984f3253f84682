"""What holds for the logins of a workspace; what is sent and answered about them is in `vivero_web.second_factors`."""

from typing import Annotated

import msgspec
from vivero_web.errors import ConflictError


class LoginRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the logins of everybody."""

    second_factor_required: Annotated[
        bool,
        msgspec.Meta(
            description="Whether people who have not set up two-step login can do nothing else before. API keys go on."
        ),
    ]


class OwnFactorFirstError(ConflictError):
    """Who requires it of others has it themselves: one owner is left who can turn it off."""

    def __init__(self) -> None:
        super().__init__("Set up two-step login for yourself before you require it of everybody.")
