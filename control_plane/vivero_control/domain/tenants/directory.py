"""The informer of Tenants, indexed by slug, id, host and signup: for lists, claims, progress and host pages."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant

from vivero_control.domain.tenants.policies import claimable
from vivero_control.lib.informer import Informer


def slug_key(slug: str) -> str:
    return f"slug:{slug}"


def host_key(host: str) -> str:
    return f"host:{host}"


def secret_key(name: str) -> str:
    """Of the Tenant whose owner's password hash is in the Secret of this name."""
    return f"secret:{name}"


def owner_key(email: str) -> str:
    """Of the Tenants whose owner has this e-mail, however it is capitalised."""
    return f"owner:{email.lower()}"


def id_key(tenant_id: str) -> str:
    """Of the Tenant that the operator has given this id."""
    return f"id:{tenant_id}"


def spares_key(plan: str) -> str:
    return f"spares:{plan}"


def _keys(tenant: Tenant) -> Iterator[str]:
    slug, owner = tenant.spec.slug, tenant.spec.owner
    if slug is None:
        yield spares_key(tenant.spec.plan)
        return
    yield slug_key(slug)
    if tenant.status.id is not None:
        yield id_key(tenant.status.id)
    if owner is not None:
        yield owner_key(owner.email)
    if owner is not None and owner.password_hash_secret is not None:
        yield secret_key(owner.password_hash_secret)
    for host in tenant.spec.hosts:
        yield host_key(host)


class TenantDirectory(Informer[Tenant]):
    """Every Tenant; `synced` is false until the first list has come."""

    def __init__(self) -> None:
        super().__init__(TENANT, Tenant, _keys)
        self._reserved: dict[str, str] = {}

    def by_slug(self, slug: str) -> Tenant | None:
        return self.find(slug_key(slug))

    def by_id(self, tenant_id: str) -> Tenant | None:
        """By the id that names its database, bucket and namespace."""
        return self.find(id_key(tenant_id))

    def by_host(self, host: str) -> Tenant | None:
        """By one of the customer's own host names."""
        return self.find(host_key(host))

    def by_secret(self, name: str) -> Tenant | None:
        """By the Secret in which its signup stored the password's hash."""
        return self.find(secret_key(name))

    def owned_by(self, email: str) -> list[Tenant]:
        """Those whose owner has this e-mail, by slug."""
        return sorted(self.by_index(owner_key(email)), key=lambda one: one.spec.slug or "")

    def has(self, slug: str) -> bool:
        """Whether a Tenant has this slug or this name, even one that cannot be parsed."""
        if self.by_slug(slug) is not None or self.get(slug) is not None:
            return True
        return any(slug in (one.name, spec_text(one, "slug")) for one in self.unreadable())

    def has_name(self, name: str) -> bool:
        """Whether there is a Tenant of this name, even one that cannot be parsed."""
        return self.get(name) is not None or any(name == one.name for one in self.unreadable())

    def unreadable_at(self, *, slug: str = "", host: str = "") -> Unreadable | None:
        """One that cannot be read, by its slug or one of the customer's own host names."""
        return next(
            (
                one
                for one in self.unreadable()
                if (slug and spec_text(one, "slug") == slug) or (host and host in _hosts_of(one))
            ),
            None,
        )

    def spares(self, plan: str, now: datetime) -> list[Tenant]:
        """Those that can be claimed now."""
        return [one for one in self.by_index(spares_key(plan)) if claimable(one, now) and not self._is_reserved(one)]

    def reserve_spare(self, plan: str, signup: str, now: datetime) -> Tenant | None:
        """One to claim for this signup, reserved within this process; None when there is none.

        The reservation ends with a newer version of the spare: if its present version is outdated, somebody else wrote
        it. Rendezvous hashing gives every signup an order of its own, so that of n spares two processes prefer the same
        one in 1 of n cases; with one order for all, the oldest first, they always would.
        """
        chosen = min(self.spares(plan, now), key=lambda spare: _rendezvous_hash(signup, spare), default=None)
        if chosen is not None:
            self._drop_claimed()
            self._reserved[chosen.name] = chosen.metadata.resource_version
        return chosen

    def _is_reserved(self, spare: Tenant) -> bool:
        return self._reserved.get(spare.name) == spare.metadata.resource_version

    def _drop_claimed(self) -> None:
        for name in [name for name in self._reserved if (known := self.get(name)) is None or not known.is_spare]:
            del self._reserved[name]


def spec_text(unreadable: Unreadable, field: str) -> str | None:
    """A field of its spec, if it is a text."""
    value = _spec(unreadable).get(field)
    return value if isinstance(value, str) else None


def _hosts_of(unreadable: Unreadable) -> list[Any]:
    hosts = _spec(unreadable).get("hosts")
    return hosts if isinstance(hosts, list) else []


def _spec(unreadable: Unreadable) -> dict[str, Any]:
    spec = unreadable.body.get("spec")
    return spec if isinstance(spec, dict) else {}


def _rendezvous_hash(signup: str, spare: Tenant) -> bytes:
    return hashlib.sha256(f"{signup}:{spare.name}".encode()).digest()
