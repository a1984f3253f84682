"""Validates names before they reach SQL, an ACL rule or a URL: only the exact form of their kind passes (naming.py makes them)."""

import re

from vivero_core.errors import InvalidNameError
from vivero_core.model import naming
from vivero_core.model.naming import is_tenant_id, tenant_of_database


def database(name: str) -> str:
    """`vt<id>`, or InvalidNameError."""
    return _checked(name, "vt", "", "tenant's database")


def schema(name: str) -> str:
    """`vt<id>`, or that with `audit`, `next`, `last`, `asof` or `asofaudit` behind it, or InvalidNameError."""
    if tenant_of_database(name) is None:
        raise InvalidNameError(f"not the name of a tenant's schema: {name[:40]!r}")
    return name


def audit_database(name: str) -> str:
    """`vt<id>audit` of the tenant with the schema `vt<id>`, or InvalidNameError."""
    return naming.audit_database_name(_ident(name))


def next_database(name: str) -> str:
    """`vt<id>next` of that tenant, or InvalidNameError."""
    return naming.next_database_name(_ident(name))


def last_database(name: str) -> str:
    """`vt<id>last` of that tenant, or InvalidNameError."""
    return naming.last_database_name(_ident(name))


def as_of_databases(name: str) -> tuple[str, str]:
    """`vt<id>asof` and `vt<id>asofaudit` of that tenant, or InvalidNameError."""
    return naming.as_of_database_names(_ident(name))


def schemas(name: str) -> tuple[str, ...]:
    """All that the tenant with the schema `vt<id>` may have, or InvalidNameError."""
    return naming.database_names(_ident(name))


def loading_user(name: str) -> str:
    """`vt<id>r` of that tenant, or InvalidNameError."""
    return naming.loading_user(_ident(name))


def viewing_user(name: str) -> str:
    """`vt<id>v` of that tenant, or InvalidNameError."""
    return naming.viewing_user(_ident(name))


def database_user(name: str) -> str:
    """`vt<id>a`, `vt<id>b`, `vt<id>r` or `vt<id>v`, or InvalidNameError."""
    return _checked(name, "vt", "[abrv]", "tenant's database user")


def cache_user(name: str) -> str:
    """`vt<id>`, or InvalidNameError."""
    return _checked(name, "vt", "", "tenant's cache user")


def bucket(name: str) -> str:
    """`vivero-<id>`, which is also the account's name, or InvalidNameError."""
    return _checked(name, "vivero-", "", "tenant's bucket or storage account")


def _ident(database_: str) -> str:
    return database(database_).removeprefix("vt")


def _checked(name: str, prefix: str, suffix: str, kind: str) -> str:
    match = re.fullmatch(f"{prefix}(?P<id>.{{10}}){suffix}", name)
    if match is None or not is_tenant_id(match["id"]):
        raise InvalidNameError(f"not the name of a {kind}: {name[:40]!r}")
    return name
