"""DatabaseServer: a MariaDB server to place tenants on."""

from typing import Any, ClassVar

from pydantic import Field

from vivero_core.model.base import INTEGER_MAX, Model, ObjectName, Resource
from vivero_core.model.conditions import Condition

_HOST_OR_ADDRESS = r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$"


class DatabaseServerSpec(Model):
    """Address, credentials and capacity of a MariaDB server."""

    host: str = Field(min_length=1, max_length=253, pattern=_HOST_OR_ADDRESS)
    """Host name or address, as pods reach it; must be in the server's certificate."""
    port: int = Field(default=3306, ge=1, le=65535)
    """TCP port."""
    admin_secret: ObjectName
    """Secret in namespace vivero-system with keys username and password of an account that may create
    databases and users."""
    ca_config_map: ObjectName
    """ConfigMap in namespace vivero-system whose key ca.crt holds the certificate authority to trust."""
    capacity: int = Field(default=1000, ge=0, le=1_000_000)
    """Tenants that may be placed here."""
    cordoned: bool = False
    """When true, no further tenants are placed here; those already here stay."""


class DatabaseServerStatus(Model):
    """What the operator has observed."""

    tenants: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """Tenants placed on this server."""
    version: str | None = Field(default=None, max_length=100)
    """Version that the server reports."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that this status speaks of."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=8,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready: the admin account can log in."""


class DatabaseServer(Resource):
    """A MariaDB server to place tenants on."""

    plural: ClassVar[str] = "databaseservers"

    spec: DatabaseServerSpec
    """Address, credentials and capacity of a MariaDB server."""
    status: DatabaseServerStatus = Field(default_factory=DatabaseServerStatus)
    """What the operator has observed."""

    @property
    def name(self) -> str:
        return self.metadata.name


def printer_columns() -> list[dict[str, Any]]:
    """Columns of `kubectl get vdb`."""
    ready = '.status.conditions[?(@.type=="Ready")]'
    return [
        {"name": "Ready", "type": "string", "jsonPath": f"{ready}.status"},
        {"name": "Status", "type": "string", "jsonPath": f"{ready}.message"},
        {"name": "Tenants", "type": "integer", "jsonPath": ".status.tenants"},
        {"name": "Capacity", "type": "integer", "jsonPath": ".spec.capacity"},
        {"name": "Cordoned", "type": "boolean", "jsonPath": ".spec.cordoned"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Host", "type": "string", "jsonPath": ".spec.host", "priority": 1},
        {"name": "Version", "type": "string", "jsonPath": ".status.version", "priority": 1},
    ]
