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
FINALIZER_IN_USE: Final = "vivero.dev/in-use"
"""On a Plan or DatabaseServer: it goes when no Tenant uses it any more."""

SECURITY_CONTACT_PATTERN: Final = r"^(mailto:[^\s@]+@[^\s@]+|https://[^\s]+|tel:\+?[0-9-]+)$"
"""The URIs that every program's security.txt takes for a contact (RFC 9116)."""

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
LABEL_ESCROW: Final = "vivero.dev/escrow"
"""On the record of a tenant's keys (a Secret in the platform's namespace): the tenant's id."""
LABEL_RETAINED: Final = "vivero.dev/retained"
"""On such a record, once its Tenant was deleted and its data kept: the tenant's id."""
LABEL_SCHEDULED: Final = "vivero.dev/scheduled"
"""On a TenantBackup that its tenant's schedule made: for when, in UTC, as 2026-11-29T02.30Z. Without it a person made it."""
LABEL_HOST_CERTIFICATE: Final = "vivero.dev/host-certificate"
"""On a TLS Secret in the platform's namespace that may be used for customers' own hosts: `true`."""
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"

ANNOTATION_TENANT_NAME: Final = "vivero.dev/tenant-name"
"""On a tenant's namespace: the Tenant's metadata.name, for people."""
ANNOTATION_TENANT_UID: Final = "vivero.dev/tenant-uid"
"""On a tenant's namespace and on the record of its keys: the metadata.uid of the Tenant that has the data, or had it;
checked before anything is destroyed."""
ANNOTATION_DUMP_AT: Final = "vivero.dev/dump-at"
"""Put on the PlatformBackup by a person or the staff's console: the control plane's tables are dumped and proven once more,
unless that was done since this moment (RFC 3339)."""
ANNOTATION_PAUSED: Final = "vivero.dev/paused"
"""Put on a Tenant, TenantPool, DatabaseServer or Release by a person: `true` stops its reconciliation."""
ANNOTATION_TRACE: Final = "vivero.dev/traceparent"
"""Context of the request that a Tenant was signed up by, for traces (W3C Trace Context)."""
ANNOTATION_RESTART: Final = "vivero.dev/restart"
"""Put on a Tenant by a person: each new value restarts the tenant's pods, one after the other."""
ANNOTATION_KUBECTL_RESTART: Final = "kubectl.kubernetes.io/restartedAt"
"""On a pod template: `kubectl rollout restart`."""
ANNOTATION_REVISION: Final = "vivero.dev/revision"
"""On pods: digest of the template they were made from."""
ANNOTATION_CREDENTIALS: Final = "vivero.dev/credentials"
"""On pods: digest of the credentials they started with; another one restarts them."""
ANNOTATION_DATA_GIVEN_UP: Final = "vivero.dev/data-given-up"
"""On pods: the spec.acceptDataLossAt that they were started with."""
ANNOTATION_ESCROW_KEY: Final = "vivero.dev/escrow-key"
"""On the record of a tenant's keys: which key of Secret `escrow-keys` sealed it. On that Secret: which one seals."""
ANNOTATION_LIMITS: Final = "vivero.dev/limits"
"""On a tenant's pods: digest of the limits last written; touching it makes kubelet refresh the mounted file."""
ANNOTATION_ASKED: Final = "vivero.dev/asked"
"""On a tenant's pod that has just started: writing it makes kubelet ask the pod at once whether it is ready."""
ANNOTATION_APPLIED: Final = "vivero.dev/applied"
"""On children: digest of the manifest that was last applied."""
ANNOTATION_DATABASE_SERVER: Final = "vivero.dev/database-server"
"""On Secret `database` and on the record of a tenant's keys: the DatabaseServer that holds the schema."""
ANNOTATION_CONNECTIONS: Final = "vivero.dev/connections"
"""On Secret `database`: how many connections its user may have. So the Secret says all that the server was told."""
ANNOTATION_RETAINED_AT: Final = "vivero.dev/retained-at"
"""On a retained record: when its Tenant was deleted."""
ANNOTATION_ERASE_AT: Final = "vivero.dev/erase-at"
"""On a retained record: when the data is to be erased, where the undo window of its plan ends."""
ANNOTATION_RESTORE: Final = "vivero.dev/restore"
"""On a retained record that no Tenant has had: the name of the TenantRestore that fills it."""
ANNOTATION_ERASING: Final = "vivero.dev/erasing"
"""On a record: the metadata.uid of the TenantErasure that erases the data. From then on nobody can adopt it."""
ANNOTATION_REBUILT: Final = "vivero.dev/rebuilt"
"""On a Tenant that was made again on a new cluster, and there on Secret `escrow-keys`: the number of the platform's state that
it is from."""

PLAN_TRIAL: Final = "trial"
PASSWORD_HASH_KEY: Final = "password_hash"  # noqa: S105  the key's name inside the signup Secret, not a password


class ConditionType(StrEnum):
    """Conditions of our kinds; a Tenant's `Ready` summarises the others and is absent while it is suspended."""

    READY = "Ready"
    DATABASE_READY = "DatabaseReady"
    STORAGE_READY = "StorageReady"
    CACHE_READY = "CacheReady"
    WORKLOAD_READY = "WorkloadReady"
    ROUTE_READY = "RouteReady"
    OWNER_READY = "OwnerReady"
    HOSTS_READY = "HostsReady"
    BACKUP_SCHEDULED = "BackupScheduled"
    SUSPENDED = "Suspended"
    PAUSED = "Paused"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    # Of a Release, and of an operation such as a TenantBackup.
    COMPLETE = "Complete"
    REFUSED = "Refused"
    HALTED = "Halted"
    # Of a DatabaseServer, of a Tenant, and of a PlatformBackup.
    RECOVERABLE = "Recoverable"


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
    WAITING_FOR_TURN = "WaitingForTurn"
    ROLLING_OUT = "RollingOut"
    RESTORING = "Restoring"
    UP_TO_DATE = "UpToDate"
    PODS_MISSING = "PodsMissing"
    ROUTE_NOT_ACCEPTED = "RouteNotAccepted"
    DELETING = "Deleting"
    PAUSED = "Paused"
    CLAIMED = "Claimed"
    # Waiting for a person or another object; changes when that object changes.
    PLAN_NOT_FOUND = "PlanNotFound"
    SLUG_TAKEN = "SlugTaken"
    HOST_TAKEN = "HostTaken"
    HOST_NOT_ALLOWED = "HostNotAllowed"
    HOST_NOT_SUPPORTED = "HostNotSupported"
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
    # A person has to decide: nothing is made in place of what is gone.
    DATA_LOST = "DataLost"
    KEYS_LOST = "KeysLost"
    OWNER_REFUSED = "OwnerRefused"
    PULL_SECRET_MISSING = "PullSecretMissing"  # noqa: S105  a reason's name
    SERVER_CORDONED = "DatabaseServerCordoned"
    SERVER_FULL = "DatabaseServerFull"
    UNREADABLE = "Unreadable"
    # Drift: something of a tenant was changed or removed outside Vivero and was corrected.
    DRIFT_CORRECTED = "DriftCorrected"
    DRIFT_CONTESTED = "DriftContested"
    # Suspension: the reasons of spec.suspended, and their absence.
    TRIAL_ENDED = "TrialEnded"
    UNPAID = "Unpaid"
    SUBSCRIPTION_PAUSED = "SubscriptionPaused"
    ABUSE = "Abuse"
    MANUAL = "Manual"
    NOT_SUSPENDED = "NotSuspended"
    RESUMED = "Resumed"
    # Deletion.
    RETAINED = "Retained"
    ERASED = "Erased"
    ERASING = "Erasing"
    CANCELLED = "Cancelled"
    # Whether a tenant can be brought back, as the last TenantProof says.
    RECOVERY_PROVEN = "RecoveryProven"
    RECOVERY_NOT_PROVEN = "RecoveryNotProven"
    # A customer's own host.
    HOST_SERVED = "HostServed"
    HOST_UNVERIFIED = "HostUnverified"
    CERTIFICATE_MISSING = "CertificateMissing"
    CERTIFICATE_INVALID = "CertificateInvalid"
    # An operation, such as a TenantBackup.
    NOT_CONFIGURED = "NotConfigured"
    TENANT_NOT_FOUND = "TenantNotFound"
    BACKUP_NOT_FOUND = "BackupNotFound"
    TENANT_EXISTS = "TenantExists"
    BACKED_UP = "BackedUp"
    SWITCHING = "Switching"
    UNCHANGED = "Unchanged"
    SCHEDULED = "Scheduled"
    SCHEDULE_INVALID = "ScheduleInvalid"
    EXPIRED = "Expired"
    EXPIRY_FAILED = "ExpiryFailed"
    RESTORED = "Restored"
    PASSED = "Passed"
    FAILED = "Failed"
    REFUSED = "Refused"
    # TenantPool.
    FULL = "Full"
    FILLING = "Filling"
    SHORT = "Short"
    # Plan, DatabaseServer.
    IN_USE = "InUse"
    UNUSED = "Unused"
    REACHABLE = "Reachable"
    UNREACHABLE = "Unreachable"
    MISCONFIGURED = "Misconfigured"
    ARCHIVING = "Archiving"
    ARCHIVER_NOT_READY = "ArchiverNotReady"
    ORPHANS_FOUND = "OrphansFound"
    ORPHAN_REMOVED = "OrphanRemoved"
    ORPHAN_KEPT = "OrphanKept"
    # PlatformBackup.
    STORED = "Stored"
    OTHER_INSTALLATION = "OtherInstallation"
    # Release.
    ROLLED_OUT = "RolledOut"
    HALTED = "Halted"
    SUPERSEDED = "Superseded"


class SuspensionReason(StrEnum):
    """Why a tenant is out of service; also the reason of its `Suspended` condition."""

    TRIAL_ENDED = "TrialEnded"
    UNPAID = "Unpaid"
    SUBSCRIPTION_PAUSED = "SubscriptionPaused"
    ABUSE = "Abuse"
    MANUAL = "Manual"


class DeletionPolicy(StrEnum):
    """What happens to a tenant's data when its Tenant is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"
