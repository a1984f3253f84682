"""What a MariaDB server stores about an account, read as a whole, so that no change of it goes undetected. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from vivero_core.backends.mariadb.statements import native_hash

Attributes = Mapping[str, object]
"""What is stored about an account and is not the server's default."""

UNREADABLE: Final = "unreadable"
"""The only attribute of an account whose row is damaged."""

_VOLATILE: Final = frozenset({"version_id", "password_last_changed", "password_lifetime"})
"""Changes by itself, or is read further below."""
_ONLY_THE_FIRST: Final[list[object]] = [{}]
"""What `auth_or` says when the account's one plugin is the one beside it."""
_TLS_REQUIRED: Final = 1  # ssl_type: 0 is none, 2 a client certificate, 3 certain properties of one


def attributes(priv: str, default_lifetime: int = 0) -> Attributes:
    """Read the JSON of mysql.global_priv; keys that this version does not know are kept.

    Args:
        priv: the column's text.
        default_lifetime: days, the server's default_password_lifetime; 0 is no end.
    """
    stored = _object(priv)
    if stored is None:
        return {UNREADABLE: priv}
    found = {key: value for key, value in stored.items() if value and key not in _VOLATILE}
    if found.get("auth_or") == _ONLY_THE_FIRST:
        del found["auth_or"]
    if stored.get("password_last_changed") == 0:
        found["expired"] = True
    lifetime = stored.get("password_lifetime", -1)
    if lifetime == -1:
        lifetime = default_lifetime
    return found | ({"password_lifetime": lifetime} if lifetime else {})


def wanted(password: str, max_connections: int) -> Attributes:
    """Desired attributes: this password, TLS required, this many connections at once, no expiry."""
    return {
        "plugin": "mysql_native_password",
        "authentication_string": native_hash(password),
        "ssl_type": _TLS_REQUIRED,
        "max_user_connections": max_connections,
    }


def without_rights(found: Attributes) -> Attributes:
    """Global privileges are compared with all others, as SHOW GRANTS has them."""
    return {key: value for key, value in found.items() if key != "access"}


def is_role(found: Attributes) -> bool:
    return bool(found.get("is_role"))


def _object(priv: str) -> dict[str, Any] | None:
    try:
        stored = json.loads(priv)
    except ValueError:
        return None
    return stored if isinstance(stored, dict) else None
