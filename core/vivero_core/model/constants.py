"""Names that programs, people and stored objects agree on: API group, labels, annotations, conditions, reasons.

A value here is an interface: it is stored in clusters and matched by scripts, so it never changes its meaning.
"""

from enum import StrEnum
from typing import Final

GROUP: Final = "vivero.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
CATEGORY: Final = "vivero"

FIELD_MANAGER: Final = "vivero-operator"
FINALIZER: Final = "vivero.dev/tenant"

PLATFORM_NAMESPACE: Final = "vivero-system"
SIGNUPS_NAMESPACE: Final = "vivero-signups"

LABEL_TENANT: Final = "vivero.dev/tenant"
"""On every object of a tenant: the tenant's id."""
LABEL_POOL: Final = "vivero.dev/pool"
"""On a Tenant that a pool made: the TenantPool's name."""
LABEL_RELEASE: Final = "vivero.dev/release"
"""On a Tenant that a pool made: digest of the image it was made with."""
LABEL_SIGNUP: Final = "vivero.dev/signup"
"""On a Tenant that a signup made or claimed: digest of the signup's id, which finds it again after a crash."""
LABEL_RETAINED: Final = "vivero.dev/retained"
"""On the record (a Secret in the platform's namespace) of a deleted tenant whose data was kept: its id."""
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"

ANNOTATION_TENANT_NAME: Final = "vivero.dev/tenant-name"
"""On a tenant's namespace: the Tenant's metadata.name, for people."""
ANNOTATION_TENANT_UID: Final = "vivero.dev/tenant-uid"
"""On a tenant's namespace: the Tenant's metadata.uid, checked before anything is destroyed."""
ANNOTATION_LIMITS: Final = "vivero.dev/limits"
"""On a tenant's pods: digest of the limits last written; touching it makes kubelet refresh the mounted file."""
ANNOTATION_ASKED: Final = "vivero.dev/asked"
"""On a tenant's pod that has just started: writing it makes kubelet ask the pod at once whether it is ready."""
ANNOTATION_APPLIED: Final = "vivero.dev/applied"
"""On children: digest of the manifest that was last applied."""
ANNOTATION_DATABASE_SERVER: Final = "vivero.dev/database-server"
"""On Secret `database` and on a retained record: the DatabaseServer that holds the schema."""
ANNOTATION_RETAINED_AT: Final = "vivero.dev/retained-at"
"""On a retained record: when its Tenant was deleted."""
ANNOTATION_ADOPTED_BY: Final = "vivero.dev/adopted-by"
"""On a retained record: metadata.uid of the Tenant that took the data over."""

PLAN_TRIAL: Final = "trial"
PASSWORD_HASH_KEY: Final = "password_hash"  # noqa: S105  the key's name inside the signup Secret, not a password


class ConditionType(StrEnum):
    """Conditions of a Tenant; `Ready` summarises the others."""

    READY = "Ready"
    DATABASE_READY = "DatabaseReady"
    STORAGE_READY = "StorageReady"
    CACHE_READY = "CacheReady"
    WORKLOAD_READY = "WorkloadReady"
    ROUTE_READY = "RouteReady"
    OWNER_READY = "OwnerReady"
    SUSPENDED = "Suspended"


class Reason(StrEnum):
    """Stable CamelCase reasons of conditions and events."""

    # Ready, and the aspects when all is well.
    PROVEN = "Proven"
    PROVISIONED = "Provisioned"
    RUNNING = "Running"
    ROUTED = "Routed"
    ACCOUNT_EXISTS = "AccountExists"
    NO_PASSWORD_GIVEN = "NoPasswordGiven"  # noqa: S105  a reason's name
    # On the way.
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    DELETING = "Deleting"
    # Waiting for a person or another object; changes when that object changes.
    PLAN_NOT_FOUND = "PlanNotFound"
    SLUG_TAKEN = "SlugTaken"
    HOST_TAKEN = "HostTaken"
    HOST_NOT_ALLOWED = "HostNotAllowed"
    NO_DATABASE_SERVER = "NoDatabaseServer"
    DATABASE_SERVER_NOT_FOUND = "DatabaseServerNotFound"
    NAMESPACE_CONFLICT = "NamespaceConflict"
    NOTHING_TO_ADOPT = "NothingToAdopt"
    ALREADY_ADOPTED = "AlreadyAdopted"
    PASSWORD_SECRET_MISSING = "PasswordSecretMissing"  # noqa: S105  a reason's name
    # Faults that are retried with back-off.
    DATABASE_UNAVAILABLE = "DatabaseUnavailable"
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    CACHE_UNAVAILABLE = "CacheUnavailable"
    WORKLOAD_UNAVAILABLE = "WorkloadUnavailable"
    PROOF_FAILED = "ProofFailed"
    KUBERNETES_ERROR = "KubernetesError"
    # Something of a tenant was changed or removed by hand and put right.
    MENDED = "Mended"
    # Suspension: the reasons of spec.suspended, and their absence.
    TRIAL_ENDED = "TrialEnded"
    UNPAID = "Unpaid"
    ABUSE = "Abuse"
    MANUAL = "Manual"
    NOT_SUSPENDED = "NotSuspended"
    RESUMED = "Resumed"
    # Deletion.
    RETAINED = "Retained"
    ERASED = "Erased"
    # TenantPool.
    FULL = "Full"
    FILLING = "Filling"
    # DatabaseServer.
    REACHABLE = "Reachable"
    UNREACHABLE = "Unreachable"


class SuspensionReason(StrEnum):
    """Why a tenant is out of service; also the reason of its `Suspended` condition."""

    TRIAL_ENDED = "TrialEnded"
    UNPAID = "Unpaid"
    ABUSE = "Abuse"
    MANUAL = "Manual"


class DeletionPolicy(StrEnum):
    """What happens to a tenant's data when its Tenant is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"
