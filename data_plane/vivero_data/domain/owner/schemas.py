"""The first account, as the operator or the command line describes it."""

import msgspec


class OwnerAccount(msgspec.Struct, forbid_unknown_fields=True):
    """The first account; `password_hash` is an argon2id PHC string."""

    email: str
    password_hash: str
    name: str = ""


class OwnerState(msgspec.Struct, frozen=True):
    """Who owns the workspace, and whether this call made it so."""

    email: str
    created: bool
