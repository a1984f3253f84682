"""What a tenant's cache user may do, as ACL rules. Pure.

Key patterns bind commands that name keys. Commands that see or touch the
whole server are therefore left out one by one: SCAN, KEYS and RANDOMKEY read
other tenants' key names, so do CLIENT TRACKING in broadcast mode, CLUSTER
GETKEYSINSLOT and PUBSUB CHANNELS; FLUSHALL, FLUSHDB and SWAPDB destroy,
SCRIPT FLUSH and FUNCTION change what others run. The rules start from
nothing, so that a command of a newer server is denied until someone looks.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from vivero_core.backends import names

COMMANDS = (
    "-@all",
    "+@read",
    "+@write",
    "+@transaction",
    "+@connection",
    "+@pubsub",
    "-@admin",
    "-@dangerous",  # with KEYS, FLUSHALL, FLUSHDB, SWAPDB, SORT, INFO
    "-@scripting",
    # Locks and limiters are short scripts; a script is bound by its caller's ACL.
    "+eval",
    "+evalsha",
    "+script|load",
    "+script|exists",
    "-scan",
    "-randomkey",
    "-dbsize",
    "-pubsub",
    "-client|tracking",
    "-select",
    "-memory",
    "-copy",
)


@dataclass(frozen=True, slots=True)
class Access:
    """What the server holds about a user, as far as it matters."""

    enabled: bool
    passwords: frozenset[str]  # SHA-256, in hex
    commands: str
    keys: str
    channels: str
    selectors: int  # how many; each would add rights


def prefix(user: str) -> str:
    """What every key and channel of the user starts with. It ends in the delimiter: no tenant's is part of another's."""
    return f"{names.cache_user(user)}:"


def password_hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def wanted(user: str, password: str) -> Access:
    return Access(
        enabled=True,
        passwords=frozenset({password_hash(password)}),
        commands=" ".join(COMMANDS),
        keys=f"~{prefix(user)}*",
        channels=f"&{prefix(user)}*",
        selectors=0,
    )


def rules(access: Access) -> list[str]:
    """The arguments of ACL SETUSER. `reset` first, in the same command: nothing lingers, and no moment is without rules.

    The password goes as its hash, so that no log of commands ever holds it.
    """
    hashes = [f"#{password}" for password in sorted(access.passwords)]
    return ["reset", "on", *hashes, access.keys, access.channels, *access.commands.split()]


def present(reply: Sequence[object]) -> Access:
    """Read ACL GETUSER's flat list of names and values (RESP 2)."""
    fields = dict(zip(map(str, reply[::2]), reply[1::2], strict=True))
    flags = _texts(fields["flags"])
    return Access(
        enabled="on" in flags and not flags & {"nopass", "skip-sanitize-payload"},
        passwords=_texts(fields["passwords"]),
        commands=str(fields["commands"]),
        keys=str(fields["keys"]),
        channels=str(fields["channels"]),
        selectors=len(_texts(fields["selectors"])),
    )


def _texts(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
