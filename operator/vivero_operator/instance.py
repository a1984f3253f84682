"""One tenant as the pure builders see it: its desired state, its plan, the platform around it, and what all its objects bear."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from vivero_core.model import constants as c
from vivero_core.model import naming
from vivero_core.model.base import Metadata
from vivero_core.model.constants import PLAN_TRIAL
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Limits, Plan
from vivero_core.model.tenant import Tenant

from vivero_operator.settings import Settings

APP = "app"
"""Name of the Deployment, Service, Ingress, ServiceAccount and container of a tenant."""
APP_PORT = 8080
METRICS_PORT = 9090
UNLIMITED_CONNECTIONS = 10_000  # what a Plan may ask for at most; MariaDB's own word for it, 0, is refused as a slip


@dataclass(frozen=True)
class Instance:
    """What all manifests of one tenant are built from."""

    tenant: Tenant
    plan: Plan
    settings: Settings

    @property
    def id(self) -> str:
        return self.tenant.id

    @property
    def namespace(self) -> str:
        return naming.namespace_name(self.id)

    @property
    def suspended(self) -> bool:
        return self.tenant.spec.suspended is not None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host under the base domain, then the customer's own; none of a spare."""
        slug = self.tenant.spec.slug
        return (self.settings.public_host(slug), *self.tenant.spec.hosts) if slug else ()

    @property
    def limits(self) -> Limits:
        """How much it may use: as the plan says, but for what its Tenant has of its own."""
        own, plan = self.tenant.spec.limits, self.plan.spec.limits
        return own.over(plan) if own else plan

    @property
    def connections(self) -> int:
        """How many its database user may have."""
        return self.limits.connections or UNLIMITED_CONNECTIONS

    @property
    def certificates(self) -> dict[str, str]:
        """Host -> the Secret with its certificate, as the spec names it."""
        return {one.host: one.secret_name for one in self.tenant.spec.host_certificates}

    def issuer(self, host: str) -> str | None:
        """The issuer of this host's certificate; None if a person provides it, or it has none."""
        return None if host in self.certificates else self.settings.host_issuer or None

    @property
    def url(self) -> str | None:
        """Where the workspace answers; nowhere yet while it is a spare."""
        return self.settings.public_url(self.hosts[0]) if self.hosts else None

    @property
    def owner_confirmed(self) -> bool:
        """Whether mail is known to reach the owner; a spare has none yet."""
        owner = self.tenant.spec.owner
        return owner is not None and owner.confirmed

    @property
    def trial_ends_at(self) -> datetime | None:
        """When the trial is over: what the spec says, else the plan's days from creation, of a spare from its claim."""
        spec, meta, days = self.tenant.spec, self.tenant.metadata, self.plan.spec.trial_days
        if spec.trial_ends_at is not None or days is None or self.tenant.is_spare or spec.plan != PLAN_TRIAL:
            return spec.trial_ends_at
        begun = spec.claimed_at or meta.creation_timestamp
        return begun + timedelta(days=days) if begun is not None else None

    @property
    def erase_at(self) -> datetime | None:
        """Of a Tenant that is deleted: when its data is erased; None when that is at once, or never."""
        days, deleted = self.plan.spec.undo_days, self.tenant.metadata.deletion_timestamp
        kept = self.tenant.goes_with_its_data and self.tenant.was_used and days > 0
        return deleted + timedelta(days=days) if kept and deleted is not None else None

    @property
    def destroys_data(self) -> bool:
        """Whether its deletion destroys schema and bucket at once."""
        return self.tenant.goes_with_its_data and self.erase_at is None

    @cached_property
    def fingerprint(self) -> str:
        """Changes when anything that steps build from changes."""
        meta, spec = self.tenant.metadata, self.tenant.spec
        return digest([meta.uid, meta.deletion_timestamp, spec.dump(), self.plan.name, self.plan.spec.dump()])


@dataclass(frozen=True)
class TenantKeys:
    """A tenant's passwords, tokens and encryption keys as in its Secrets; none shows in a repr, hence none in a log."""

    database_password: str = field(repr=False)
    cache_password: str = field(repr=False)
    storage_secret: str = field(repr=False)
    signing_key: str = field(repr=False)
    file_key: str = field(repr=False)
    operator_token: str = field(repr=False)
    storage_access_key: str | None = field(default=None, repr=False)
    """Of the storage secret, where the server made both; else it is the account's name."""

    def dump(self) -> dict[str, str]:
        """Without what there is not: earlier releases open what is sealed, and know no access key."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class PlatformFiles:
    """Public files that every tenant's pod gets."""

    ca: str
    ticket_key: str


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a tenant's schema is."""

    server: str
    host: str
    port: int

    def credentials(self, keys: TenantKeys) -> str:
        """Digest of what a pod reads once, at its start: another one has to restart it."""
        return digest([keys.dump(), self.host, self.port])

    @classmethod
    def of(cls, server: DatabaseServer) -> "DatabaseAddress":
        return cls(server.name, server.spec.host, server.spec.port)


def digest(value: object) -> str:
    """16 hex digits that name a JSON value; for comparing, not for secrecy."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


Manifest = dict[str, Any]

SELECTOR = {c.LABEL_NAME: "vivero-data-plane"}
"""Selects the tenant's pods inside its namespace."""


def labels(instance: Instance) -> dict[str, str]:
    return labels_of(instance.id)


def labels_of(tenant_id: str) -> dict[str, str]:
    return {
        c.LABEL_TENANT: tenant_id,
        c.LABEL_NAME: "vivero-data-plane",
        c.LABEL_INSTANCE: tenant_id,
        c.LABEL_PART_OF: "vivero",
        c.LABEL_MANAGED_BY: c.FIELD_MANAGER,
    }


def metadata(instance: Instance, name: str = APP) -> dict[str, Any]:
    return {"name": name, "namespace": instance.namespace, "labels": labels(instance)}


def owner_reference(kind: str, owner: Metadata) -> dict[str, Any]:
    """Of an object that goes away with one of our kinds."""
    return {
        "apiVersion": c.API_VERSION,
        "kind": kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
    }


def sealed(manifest: Manifest) -> Manifest:
    """The manifest with its own digest as annotation: how a field that was removed since is noticed."""
    meta = manifest["metadata"]
    annotations = {**meta.get("annotations", {}), c.ANNOTATION_APPLIED: digest(manifest)}
    return {**manifest, "metadata": {**meta, "annotations": annotations}}
