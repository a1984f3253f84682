"""Validates names before they reach SQL, an ACL rule or a URL: only the exact form of their kind passes (naming.py makes them)."""

import re

from vivero_core.errors import InvalidNameError
from vivero_core.model.naming import audit_database_name, is_tenant_id, tenant_of_database


def database(name: str) -> str:
    """`vt<id>`, or InvalidNameError."""
    return _checked(name, "vt", "", "tenant's database")


def schema(name: str) -> str:
    """`vt<id>` or `vt<id>audit`, or InvalidNameError."""
    if tenant_of_database(name) is None:
        raise InvalidNameError(f"not the name of a tenant's schema: {name[:40]!r}")
    return name


def audit_database(name: str) -> str:
    """`vt<id>audit` of the tenant with the schema `vt<id>`, or InvalidNameError."""
    return audit_database_name(database(name).removeprefix("vt"))


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
