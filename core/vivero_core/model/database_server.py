"""DatabaseServer: a MariaDB server to place tenants on."""

from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from vivero_core.model import naming
from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource, Timestamp, rules
from vivero_core.model.conditions import CONDITIONS_MAX, Condition

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_RULE = rules(
    (
        f"isIP(self) || self.matches('^({_LABEL}\\\\.)*{_LABEL}$')",
        "host must be a host name or an IP address, without a port",
    ),
)
ORPHANS_SHOWN = 100

TenantId = Annotated[str, StringConstraints(max_length=naming.TENANT_ID_LENGTH, pattern=naming.TENANT_ID_PATTERN)]


class DatabaseServerSpec(Model):
    """Address, credentials and capacity of a MariaDB server."""

    host: str = Field(min_length=1, max_length=253, json_schema_extra=_HOST_RULE)
    """Host name or address, as pods reach it; must be in the server's certificate."""
    port: int = Field(default=3306, ge=1, le=65535)
    """TCP port."""
    admin_secret: ObjectName
    """Secret in namespace vivero-system with keys username and password of an account that may create
    databases and users."""
    ca_config_map: ObjectName
    """ConfigMap in namespace vivero-system whose key ca.crt holds the certificate authority to trust."""
    archiver_secret: ObjectName | None = None
    """Secret in namespace vivero-system with keys username and password of an account with the rights REPLICATION SLAVE
    and BINLOG MONITOR: with it the server's binary log is archived, so that a tenant can be restored to any second.
    Absent: no archive."""
    capacity: int = Field(default=1000, ge=0, le=1_000_000)
    """Tenants that may be placed here."""
    cordoned: bool = False
    """When true, no further tenants are placed here; those already here stay."""
    remove_orphans: tuple[TenantId, ...] = Field(
        default=(), max_length=ORPHANS_SHOWN, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Ids from status.orphaned whose schema, users, bucket, account, cache user, keys and namespace are to be deleted.
    An id that belongs to a Tenant, or to retained data, is rejected. An entry is processed once (status.removalsDone): to
    repeat it, remove it and add it again."""


class Orphan(Model):
    """Resources of a tenant that has no Tenant object."""

    id: TenantId
    """The tenant's id, for spec.adopt of a new Tenant or for spec.removeOrphans."""
    tenant: str | None = Field(default=None, max_length=253)
    """Name of its former Tenant, where known."""
    found: tuple[Annotated[str, StringConstraints(max_length=32)], ...] = Field(
        default=(), max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """What exists: schema, database users, bucket, storage account, cache user, namespace, keys."""
    since: Timestamp
    """When it was first found."""


class DatabaseServerStatus(Model):
    """What the operator has observed."""

    tenants: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Tenants placed on this server."""
    version: str | None = Field(default=None, max_length=100)
    """Version that the server reports."""
    orphans: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """How many orphans were found."""
    orphaned: tuple[Orphan, ...] = Field(
        default=(),
        max_length=ORPHANS_SHOWN,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]},
    )
    """The first hundred of them, by id. The operator scans for orphans at its start and every hour, and deletes only
    those in spec.removeOrphans."""
    removals_done: tuple[TenantId, ...] = Field(
        default=(), max_length=ORPHANS_SHOWN, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Entries of spec.removeOrphans that were processed, or rejected with an event."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that the operator last observed."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=CONDITIONS_MAX,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready: the admin account can log in. Recoverable: the binary log is archived, and the server's settings keep it
    whole."""


class DatabaseServer(Resource):
    """A MariaDB server to place tenants on."""

    plural: ClassVar[str] = "databaseservers"
    short: ClassVar[str] = "vdb"

    spec: DatabaseServerSpec
    """Address, credentials and capacity of a MariaDB server."""
    status: DatabaseServerStatus = Field(default_factory=DatabaseServerStatus)
    """What the operator has observed."""

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vdb`."""
        ready = '.status.conditions[?(@.type=="Ready")]'
        return [
            {"name": "Ready", "type": "string", "jsonPath": f"{ready}.status"},
            {"name": "Status", "type": "string", "jsonPath": f"{ready}.message"},
            {
                "name": "Recoverable",
                "type": "string",
                "jsonPath": '.status.conditions[?(@.type=="Recoverable")].status',
            },
            {"name": "Tenants", "type": "integer", "jsonPath": ".status.tenants"},
            {"name": "Capacity", "type": "integer", "jsonPath": ".spec.capacity"},
            {"name": "Cordoned", "type": "boolean", "jsonPath": ".spec.cordoned"},
            {"name": "Orphans", "type": "integer", "jsonPath": ".status.orphans"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "Host", "type": "string", "jsonPath": ".spec.host", "priority": 1},
            {"name": "Version", "type": "string", "jsonPath": ".status.version", "priority": 1},
        ]
