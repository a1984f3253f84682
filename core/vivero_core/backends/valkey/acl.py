"""What a tenant's cache user may do, as ACL rules. Pure.

Key patterns bind commands that name keys; a server has one thread, one memory
and sixteen databases for all tenants. So the rules start from nothing and
allow, by name, what the data plane uses: commands of one key and of constant
cost. No script and no list (each keeps the thread for as long as a caller
likes), no other database (nobody looks there), no wait, no channel, nothing
that sees the server.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from vivero_core.backends import name_checks
from vivero_core.backends.survey import tenant_in

COMMANDS: Final = (
    "-@all",
    # A client says who it is.
    "+auth",
    "+hello",
    "+client|setname",
    "+client|setinfo",
    "+ping",
    # Counters with an end, and the proof of a key.
    "+get",
    "+set",
    "+del",
    "+incr",
    "+incrby",
    "+decr",
    "+decrby",
    "+expire",
    "+pttl",
    # Several of them at once, or none.
    "+multi",
    "+exec",
    "+discard",
    "+watch",
    "+unwatch",
)
_CATEGORIES: Final = (
    "-@all +@read +@write +@transaction +@connection +@pubsub -@admin -@dangerous -@scripting +eval +evalsha"
    " +script|load +script|exists -scan -randomkey -dbsize -pubsub -client|tracking -select -memory -copy"
)
FORMER: Final = (_CATEGORIES,)
"""The commands of every earlier release, oldest first: a user that has them was written by us, and is no drift."""
_FLAGS: Final = frozenset({"on", "sanitize-payload"})
_PREFIX: Final = "vt"
_PATTERN: Final = re.compile(r"(?:~|&|%[RW]+~)")
_ABOUT: Final = re.compile(rf"(?:^|[ (]){_PATTERN.pattern}{_PREFIX}([a-z2-7]{{10}})")
"""Patterns that begin with a tenant's name, in a line of ACL LIST."""


@dataclass(frozen=True, slots=True)
class Access:
    """All that the server holds about a user."""

    flags: frozenset[str]
    passwords: frozenset[str]  # SHA-256, in hex
    commands: str
    keys: str
    channels: str
    selectors: int  # how many; each would add rights
    rest: frozenset[tuple[str, str]] = frozenset()  # what a later server holds besides, by field


def prefix(user: str) -> str:
    """What every key of the user starts with. It ends in the delimiter: no tenant's is part of another's."""
    return f"{name_checks.cache_user(user)}:"


def password_hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def wanted(user: str, password: str) -> Access:
    return Access(
        flags=_FLAGS,
        passwords=frozenset({password_hash(password)}),
        commands=" ".join(COMMANDS),
        keys=f"~{prefix(user)}*",
        channels="",
        selectors=0,
    )


def is_former(present: Access | None, user: str, password: str) -> bool:
    """Whether the user is as an earlier release of ours made it, to the letter."""
    channels = f"&{prefix(user)}*"
    return present in {replace(wanted(user, password), commands=one, channels=channels) for one in FORMER}


def rules(access: Access) -> list[str]:
    """The arguments of ACL SETUSER. `reset` first, in the same command: nothing lingers, and no moment is without rules.

    The password goes as its hash, so that no log of commands ever holds it.
    """
    hashes = [f"#{password}" for password in sorted(access.passwords)]
    return ["reset", "on", *hashes, access.keys, "resetchannels", *access.commands.split()]


def access_string(user: str) -> str:
    """The same for who takes the password apart, and knows no `reset`."""
    return " ".join(["on", f"~{prefix(user)}*", "resetchannels", *COMMANDS])


def without_patterns(user: str, access: str) -> str:
    """An access string without every pattern of the tenant `user`; a selector that is left opens no key."""
    left = re.sub(rf"{_PATTERN.pattern}{re.escape(user)}[^ )]*", "", access)
    return " ".join(left.split()).replace("( ", "(").replace(" )", ")")


def present(reply: Sequence[object]) -> Access:
    """Read ACL GETUSER's flat list of names and values (RESP 2)."""
    fields = dict(zip(map(str, reply[::2]), reply[1::2], strict=False))
    known = {name: fields.pop(name, "") for name in ("flags", "passwords", "commands", "keys", "channels", "selectors")}
    return Access(
        flags=_texts(known["flags"]),
        passwords=_texts(known["passwords"]),
        commands=str(known["commands"]),
        keys=str(known["keys"]),
        channels=str(known["channels"]),
        selectors=len(_texts(known["selectors"])),
        rest=frozenset((name, str(value)) for name, value in fields.items() if value),
    )


def unmanaged_users(lines: Iterable[str]) -> dict[str, frozenset[str]]:
    """From ACL LIST: tenant id -> users that are not the tenant's one, and carry its name or a pattern of its own."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        for ident in tenants_in(line):
            if _name(line) != f"{_PREFIX}{ident}":
                found[ident].add(_name(line))
    return {ident: frozenset(users) for ident, users in found.items()}


def tenants_in(line: str) -> frozenset[str]:
    """Ids of the tenants that a line of ACL LIST is about: by the user's name, and by its patterns."""
    own = tenant_in(_name(line), _PREFIX)
    return frozenset([*_ABOUT.findall(line), *([own] if own is not None else [])])


def rules_without(user: str, reply: Sequence[object]) -> list[str]:
    """The arguments of ACL SETUSER that take every pattern of the tenant `user` from a user that has others too."""
    fields = dict(zip(map(str, reply[::2]), reply[1::2], strict=False))
    selectors = fields.get("selectors")
    kept = [_selector(user, one) for one in selectors if isinstance(one, list)] if isinstance(selectors, list) else []
    return [
        "resetkeys",
        *_kept(user, fields.get("keys")),
        "resetchannels",
        *_kept(user, fields.get("channels")),
        "clearselectors",
        *filter(None, kept),
    ]


def _selector(user: str, reply: Sequence[object]) -> str:
    """As an argument; empty when nothing is left that it could open."""
    fields = dict(zip(map(str, reply[::2]), reply[1::2], strict=False))
    keys, channels = _kept(user, fields.get("keys")), _kept(user, fields.get("channels"))
    opened = bool(fields.get("keys") or fields.get("channels"))
    if opened and not (keys or channels):
        return ""
    return f"({' '.join([str(fields.get('commands', '')), *keys, *channels]).strip()})"


def _kept(user: str, patterns: object) -> list[str]:
    return [word for word in str(patterns or "").split() if not _pattern(word).startswith(user)]


def _pattern(word: str) -> str:
    """What a key or channel pattern begins with; empty for any other rule."""
    match = _PATTERN.match(word)
    return word[match.end() :] if match else ""


def _name(line: str) -> str:
    """The user's name in a line of ACL LIST."""
    return [*line.split(" ", 2), "", ""][1]


def _texts(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
