"""The owner's account: what the operator or the command line orders, and what came of it."""

import msgspec


class OwnerAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who should own the workspace.

    Attributes:
        email: address that the owner logs in with.
        name: given to a new account; an existing one keeps its own.
        password_hash: argon2id PHC string; None leaves the password of an existing account as it is.
        replaces: address that the owner had before; that account gets the new address.
    """

    email: str
    name: str = ""
    password_hash: str | None = None
    replaces: str | None = None


class OwnerState(msgspec.Struct, frozen=True):
    """An owner's account that exists, and what this call did: made it, or changed one that was there."""

    email: str
    created: bool = False
    changed: bool = False
