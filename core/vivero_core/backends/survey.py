"""What a server holds of each tenant, in one look at all of them: two looks that differ show who was tampered with.

A digest says that something is different, never what it is: passwords' hashes
and secrets go into it and nowhere else.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from vivero_core.model.naming import TENANT_ID_LENGTH, is_tenant_id

Survey = dict[str, str]
"""Tenant id -> digest of all that the server holds of it, except its data."""


def tenant_in(name: str, prefix: str) -> str | None:
    """The id in a backend name such as `vt<id>a`; None when it is no tenant's."""
    ident = name.removeprefix(prefix)[:TENANT_ID_LENGTH]
    return ident if name.startswith(prefix) and is_tenant_id(ident) else None


def digests(facts: Iterable[tuple[str | None, object]]) -> Survey:
    """One digest a tenant of (id, anything that prints the same when it is the same); in any order."""
    found: dict[str, list[str]] = defaultdict(list)
    for ident, fact in facts:
        if ident is not None:
            found[ident].append(repr(fact))
    return {ident: hashlib.sha256("\0".join(sorted(texts)).encode()).hexdigest()[:16] for ident, texts in found.items()}
