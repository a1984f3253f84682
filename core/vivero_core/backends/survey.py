"""Survey of a server: a digest of what it holds of each tenant. Two surveys that differ for a tenant are suspected drift.

A digest says that something is different, never what it is: passwords' hashes
and secrets go into it and nowhere else.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from vivero_core.model.naming import TENANT_ID_LENGTH, is_tenant_id

Survey = dict[str, str]
"""Tenant id -> digest of all that the server holds of it, except its data."""

Inventory = dict[str, frozenset[str]]
"""Tenant id -> what the server holds of it, for example "schema"; also ids that are no living tenant's."""

Fact = tuple[str | None, object]
"""A tenant id, or None when it is no tenant's, and anything that prints the same when it is the same."""


def tenant_in(name: str, prefix: str) -> str | None:
    """The id in a backend name such as `vt<id>a`; None when it is no tenant's."""
    ident = name.removeprefix(prefix)[:TENANT_ID_LENGTH]
    return ident if name.startswith(prefix) and is_tenant_id(ident) else None


def tenant_of(name: str, prefix: str) -> str | None:
    """The id when the name is exactly prefix and id, which is how ours are made; what has more is a person's."""
    ident = name.removeprefix(prefix)
    return ident if name.startswith(prefix) and is_tenant_id(ident) else None


def holdings(found: Iterable[tuple[str | None, str]]) -> Inventory:
    """Collect (id, what there is of it)."""
    known: dict[str, set[str]] = defaultdict(set)
    for ident, what in found:
        if ident is not None:
            known[ident].add(what)
    return {ident: frozenset(whats) for ident, whats in known.items()}


def digests(facts: Iterable[Fact]) -> Survey:
    """One digest a tenant; in any order."""
    found: dict[str, list[str]] = defaultdict(list)
    for ident, fact in facts:
        if ident is not None:
            found[ident].append(repr(fact))
    return {ident: hashlib.sha256("\0".join(sorted(texts)).encode()).hexdigest()[:16] for ident, texts in found.items()}
