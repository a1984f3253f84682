"""The last check before a name reaches SQL, an ACL rule or a URL: only the exact form of its kind passes."""

import re

from vivero_core.errors import InvalidNameError
from vivero_core.model.naming import is_tenant_id


def database(name: str) -> str:
    """`vt<id>`, or InvalidNameError."""
    return _checked(name, "vt", "", "tenant's database")


def database_user(name: str) -> str:
    """`vt<id>a` or `vt<id>b`, or InvalidNameError."""
    return _checked(name, "vt", "[ab]", "tenant's database user")


def cache_user(name: str) -> str:
    """`vt<id>`, or InvalidNameError."""
    return _checked(name, "vt", "", "tenant's cache user")


def bucket(name: str) -> str:
    """`vivero-<id>`, which is also the account's name, or InvalidNameError."""
    return _checked(name, "vivero-", "", "tenant's bucket or storage account")


def _checked(name: str, prefix: str, suffix: str, kind: str) -> str:
    match = re.fullmatch(f"{prefix}(?P<id>.{{10}}){suffix}", name)
    if match is None or not is_tenant_id(match["id"]):
        raise InvalidNameError(f"not the name of a {kind}: {name[:40]!r}")
    return name
