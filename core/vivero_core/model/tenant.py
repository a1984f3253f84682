"""Tenant: one customer's instance."""

from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints

from vivero_core.model import naming
from vivero_core.model.base import INTEGER_MAX, Metadata, Model, ObjectName, Resource, Sentence, Timestamp, rules
from vivero_core.model.conditions import CONDITIONS_MAX, Condition
from vivero_core.model.constants import PLAN_TRIAL, DeletionPolicy, SuspensionReason
from vivero_core.model.own_hosts import HOSTS_MAX
from vivero_core.model.plan import Limits
from vivero_core.model.tenant_backup import BackupSchedule

VERSION_MAX_LENGTH = 64

_RESERVED_LIST = ", ".join(f"'{slug}'" for slug in sorted(naming.RESERVED_SLUGS))

Host = Annotated[str, StringConstraints(max_length=naming.HOST_MAX_LENGTH)]

SLUG_RULES = rules(
    (
        f"self.matches('{naming.SLUG_PATTERN}') && !self.contains('--')",
        "slug must be 3 to 40 lower-case letters, digits and single hyphens, from a letter to a letter or digit",
    ),
    (f"!(self in [{_RESERVED_LIST}])", "this slug is reserved for the platform; choose another"),
    ("self == oldSelf", "slug cannot be changed once it is set"),
)
_HOSTS_RULES = rules(
    (
        f"self.all(host, host.matches('{naming.HOST_PATTERN}'))".replace("\\", "\\\\"),
        "hosts must be lower-case DNS names such as app.example.com",
    ),
)
_EMAIL_RULE = rules(
    (
        "self.matches('" + naming.EMAIL_PATTERN.replace("\\", "\\\\").replace("'", "\\'") + "')",
        "owner.email must be a mail address such as name@example.com",
    ),
)
_NAME_RULE = rules(
    (
        "self.trim() == self && !self.replace('\\u200c', '').replace('\\u200d', '').matches('[\\\\x00-\\\\x1f\\\\x7f\\\\p{Cc}\\\\p{Cf}\\\\x{2028}\\\\x{2029}]')",
        "displayName must not start or end with a space or hold control or invisible formatting characters",
    ),
)
_SPEC_RULES = rules(
    (
        "has(self.slug) == has(self.owner)",
        "slug and owner go together: a spare of a pool has neither until it is claimed",
    ),
    ("has(self.slug) || has(self.pool)", "slug and owner are required; only a spare of a pool has none"),
    ("!has(oldSelf.slug) || has(self.slug)", "slug and owner cannot be taken away again"),
    (
        "has(self.pool) == has(oldSelf.pool) && (!has(self.pool) || self.pool == oldSelf.pool)",
        "pool can be given only when the Tenant is created",
    ),
    ("!has(self.claimedAt) || (has(self.pool) && has(self.slug))", "claimedAt is only for a spare that was claimed"),
    (
        "!has(oldSelf.claimedAt) || (has(self.claimedAt) && self.claimedAt == oldSelf.claimedAt)",
        "claimedAt cannot be changed once it is set",
    ),
    (
        f"!has(self.trialEndsAt) || self.plan == '{PLAN_TRIAL}'",
        f"trialEndsAt is allowed only on plan {PLAN_TRIAL}; remove it when you change the plan",
    ),
    (
        "has(self.adopt) == has(oldSelf.adopt) && (!has(self.adopt) || self.adopt == oldSelf.adopt)",
        "adopt can be given only when the Tenant is created",
    ),
    (
        "!has(self.hostCertificates) || self.hostCertificates.all(one, has(self.hosts) && one.host in self.hosts)",
        "hostCertificates may name only hosts that are in hosts",
    ),
)
_SAME_SERVER = (
    "!has(self.spec.databaseServer) || !has(self.status) || !has(self.status.databaseServer)"
    " || self.spec.databaseServer == self.status.databaseServer"
)
_ROOT_RULES = rules(
    ("size(self.metadata.name) <= 63", "a Tenant's name must be at most 63 characters long"),
    (
        _SAME_SERVER,
        "databaseServer cannot be changed: the tenant's data is already on another server",
    ),
)


class Owner(Model):
    """The person the workspace belongs to."""

    email: str = Field(min_length=3, max_length=naming.EMAIL_MAX_LENGTH, json_schema_extra=_EMAIL_RULE)
    """Mail address the owner logs in with."""
    password_hash_secret: ObjectName | None = None
    """Name of a Secret in namespace vivero-signups whose key password_hash holds an argon2id hash in PHC form.
    The operator creates the owner's account with it and then deletes the Secret. Without it the workspace is
    provisioned, but nobody can log in by password yet."""
    confirmed: bool = True
    """Whether the owner has shown that mail to the address reaches them. While it is false the workspace invites nobody and
    mails no reports, because anybody may have typed the address."""


class Suspension(Model):
    """Why the workspace is out of service."""

    reason: SuspensionReason
    """TrialEnded, Unpaid, SubscriptionPaused, Abuse or Manual."""
    message: str = Field(default="", max_length=500)
    """A sentence shown on the page that visitors get instead of the workspace."""


class OwnLimits(Model):
    """Limits of use that were agreed on with this customer, in place of the plan's; one that is absent is the plan's."""

    records: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Records over all collections."""
    users: int | None = Field(default=None, ge=1, le=INTEGER_MAX)
    """User accounts, the owner's included."""
    storage_bytes: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Bytes of files in the bucket."""
    requests_per_minute: int | None = Field(default=None, ge=1, le=10_000_000)
    """Requests a minute over all users."""

    def over(self, plan: Limits) -> Limits:
        """The limits in force on a plan with these."""
        return plan.model_copy(update=self.model_dump(exclude_none=True))


class HostCertificate(Model):
    """A TLS Secret for one of the customer's hosts."""

    host: Host
    """One of spec.hosts."""
    secret_name: ObjectName
    """Name of a Secret of type kubernetes.io/tls in namespace vivero-system, labelled vivero.dev/host-certificate=true,
    whose certificate is for this host."""


class TenantSpec(Model):
    """What was sold: a workspace, its name, its plan."""

    model_config = ConfigDict(json_schema_extra=_SPEC_RULES)

    display_name: str = Field(min_length=1, max_length=naming.DISPLAY_NAME_MAX_LENGTH, json_schema_extra=_NAME_RULE)
    """The customer's name as people read it."""
    slug: str | None = Field(
        default=None, min_length=1, max_length=naming.SLUG_MAX_LENGTH, json_schema_extra=SLUG_RULES
    )
    """First label of the workspace's host name. Unique in the cluster: of two Tenants with the same slug the
    one that had it first keeps it. Cannot be changed. Only a spare of a TenantPool has none yet."""
    hosts: tuple[Host, ...] = Field(
        default=(), max_length=HOSTS_MAX, json_schema_extra={"x-kubernetes-list-type": "set", **_HOSTS_RULES}
    )
    """Custom domains of the customer under which the workspace is served, each once its ownership is verified and it
    has a certificate; status.hosts says what is missing."""
    host_certificates: tuple[HostCertificate, ...] = Field(
        default=(),
        max_length=10,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host"]},
    )
    """Certificates for hosts; a host that is not named here gets one from cert-manager where the platform has it."""
    plan: ObjectName
    """Name of a Plan. A change takes effect without a restart."""
    limits: OwnLimits | None = None
    """Limits of use in place of the plan's. A change takes effect without a restart."""
    owner: Owner | None = None
    """The person the workspace belongs to. Only a spare of a TenantPool has none yet."""
    trial_ends_at: Timestamp | None = None
    """When the trial is over (RFC 3339); only on plan trial. Without it the trial lasts as many days as the plan's
    trialDays say, from creation or claim; status.trialEndsAt has the result."""
    suspended: Suspension | None = None
    """When set, the workspace is scaled to zero and visitors see a page with the reason. Data is kept. Condition
    Suspended is True once that is so, and condition Ready is absent while it lasts."""
    backup: BackupSchedule | None = None
    """When the data is backed up, and how many backups are kept, in place of what the plan's backup says. status.backup has
    what came of it."""
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """What deleting this Tenant does to its data. Retain keeps schema and bucket for spec.adopt of a later Tenant.
    Delete keeps them for as many days as the plan's undoDays say, and then erases them (TenantErasure)."""
    database_server: ObjectName | None = None
    """Name of the DatabaseServer that holds the schema; one that is cordoned or full takes no new Tenant. Without it
    the operator chooses one with room; its choice is in status.databaseServer. Cannot be changed once the schema is
    there."""
    adopt: str | None = Field(default=None, max_length=naming.TENANT_ID_LENGTH, pattern=naming.TENANT_ID_PATTERN)
    """status.id of a deleted Tenant whose data was retained, or of an orphan (status.orphaned of a DatabaseServer):
    this Tenant takes that data over."""
    accept_data_loss_at: Timestamp | None = None
    """Accepts a data loss: with exactly the value of status.dataLostAt the operator makes an empty schema, bucket or key
    in place of what was lost. A later loss has another time and is not covered."""
    pool: ObjectName | None = None
    """Name of the TenantPool that made this Tenant as a spare. Can be given only when it is created."""
    claimed_at: Timestamp | None = None
    """When the spare got its slug and owner (RFC 3339). Whoever claims a spare sets it, once."""


class HostStatus(Model):
    """One of the customer's hosts."""

    host: str = Field(max_length=naming.HOST_MAX_LENGTH)
    """The host name."""
    ready: bool
    """Whether the workspace answers there with a certificate that clients accept."""
    reason: str = Field(max_length=63, pattern=r"^[A-Z][A-Za-z]{1,62}$")
    """A stable CamelCase word for programs."""
    message: Sentence = ""
    """What a client sees at this host, and what is to be done."""
    verified_at: Timestamp | None = None
    """When the TXT record that proves ownership was first found."""
    certificate_expires_at: Timestamp | None = None
    """Until when the certificate in use is valid."""


class OwnerStatus(Model):
    """What the data plane last answered about the owner's account."""

    email: str | None = Field(default=None, max_length=naming.EMAIL_MAX_LENGTH)
    """Address of the owner's account that exists."""
    password_hash_secret: str | None = Field(default=None, max_length=253)
    """The spec.owner.passwordHashSecret that was last applied."""


class BackupStatus(Model):
    """What came of the schedule of backups."""

    scheduled_at: Timestamp | None = None
    """The last scheduled time that was dealt with."""
    message: Sentence | None = None
    """What came of it, for people."""
    expired_at: Timestamp | None = None
    """When what had expired was last removed from the backup bucket."""


class Recovery(Model):
    """To which seconds the tenant can be brought back, and whether that was tried."""

    begins: Timestamp | None = Field(default=None, alias="from")
    """The first second that could be restored when the archive was last proven."""
    ends: Timestamp | None = Field(default=None, alias="to")
    """At least up to this second everything is archived. It moves on with the archive, and is written along with any other
    change, at the latest when it has moved by an hour."""
    observed_at: Timestamp | None = None
    """When `to` was written: an archive that is followed is some seconds behind it."""
    last_proof: Timestamp | None = None
    """When the last TenantProof ended."""
    proof_result: Literal["Passed", "Failed", "Refused"] | None = None
    """Passed: what the archive restored was the same as the live data. Failed: it was not, or could not be restored. Refused:
    no backup leads to the present without a gap."""
    message: Sentence | None = None
    """What the last proof said, for people."""


class TenantStatus(Model):
    """What the operator has observed and proven."""

    id: str | None = Field(default=None, max_length=naming.TENANT_ID_LENGTH, pattern=naming.TENANT_ID_PATTERN)
    """Names everything of this tenant: database vt<id>, bucket vivero-<id>, namespace tenant-<id>."""
    observed_generation: int = Field(default=0, ge=0, le=INTEGER_MAX)
    """The metadata.generation that the operator last observed."""
    message: Sentence | None = None
    """Summary of the conditions, for people."""
    url: str | None = Field(default=None, max_length=300)
    """Public address of the workspace."""
    version: str | None = Field(default=None, max_length=VERSION_MAX_LENGTH)
    """Version of the data plane that last answered."""
    database_server: str | None = Field(default=None, max_length=253)
    """The DatabaseServer that holds the schema."""
    plan: str | None = Field(default=None, max_length=253)
    """The plan whose limits are in force."""
    release: str | None = Field(default=None, max_length=63)
    """The Release that the pods are made from."""
    updated_replicas: int | None = Field(default=None, ge=0, le=INTEGER_MAX)
    """Ready pods of the desired revision."""
    trial_ends_at: Timestamp | None = None
    """When the trial is over: spec.trialEndsAt, else the plan's trialDays after creation or claim."""
    owner: OwnerStatus | None = None
    """The owner's account, as the data plane last answered."""
    account_key: str | None = Field(default=None, max_length=64, pattern="^[0-9a-f]{64}$")
    """Public half of the key by which the workspace vouches for its owner to the control plane."""
    hosts: tuple[HostStatus, ...] = Field(
        default=(),
        max_length=10,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host"]},
    )
    """The customer's own hosts."""
    backup: BackupStatus | None = None
    """What came of the schedule of backups."""
    data_lost_at: Timestamp | None = None
    """When the operator found that data of this tenant is lost. spec.acceptDataLossAt with this value accepts the loss."""
    data_given_up_at: Timestamp | None = None
    """The data loss that was last accepted with spec.acceptDataLossAt."""
    proven_at: Timestamp | None = None
    """When the proof last succeeded: the tenant's own credentials worked on schema, bucket and cache, and its pod answered."""
    recovery: Recovery | None = None
    """To which seconds the tenant can be brought back, and whether that was tried."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=CONDITIONS_MAX,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready summarises the others and is absent while the Tenant is suspended."""


class Tenant(Resource):
    """One customer's isolated workspace: its own database schema, bucket, cache user, namespace and pods."""

    plural: ClassVar[str] = "tenants"
    short: ClassVar[str] = "vt"
    model_config = ConfigDict(json_schema_extra=_ROOT_RULES)

    spec: TenantSpec
    """What was sold: a workspace, its name, its plan."""
    status: TenantStatus = Field(default_factory=TenantStatus)
    """What the operator has observed and proven."""

    @property
    def is_spare(self) -> bool:
        """Made by a pool and not claimed yet: complete, but nobody's."""
        return self.spec.slug is None

    @property
    def goes_with_its_data(self) -> bool:
        """Whether deleting it destroys schema and bucket, now or later: nobody has ever put anything into a spare."""
        return self.is_spare or self.spec.deletion_policy is DeletionPolicy.DELETE

    @property
    def was_used(self) -> bool:
        """Whether anybody can have put anything into schema and bucket."""
        return not self.is_spare and (self.status.proven_at is not None or self.spec.adopt is not None)

    @property
    def accepts_data_loss(self) -> bool:
        """Whether a person has given up the very loss that was found."""
        return self.status.data_lost_at is not None and self.spec.accept_data_loss_at == self.status.data_lost_at

    @property
    def holds_data(self) -> bool:
        """Whether schema and bucket have been in use, so that their absence is a loss; until a person gives it up."""
        used = self.status.proven_at is not None or self.spec.adopt is not None
        return used and not self.accepts_data_loss

    @cached_property
    def id(self) -> str:
        """The adopted id when there is one, else derived from metadata.uid."""
        return self.spec.adopt or naming.tenant_id(self.metadata.uid)

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get vt`; priority 1 only with -o wide."""
        return [
            {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
            {"name": "Status", "type": "string", "jsonPath": ".status.message"},
            {"name": "Plan", "type": "string", "jsonPath": ".spec.plan"},
            # Not of type date: kubectl prints a date in the future as <invalid>.
            {"name": "Trial-Ends", "type": "string", "jsonPath": ".status.trialEndsAt"},
            {"name": "Version", "type": "string", "jsonPath": ".status.version"},
            {"name": "Release", "type": "string", "jsonPath": ".status.release"},
            {"name": "URL", "type": "string", "jsonPath": ".status.url"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "ID", "type": "string", "jsonPath": ".status.id", "priority": 1},
            {"name": "Database", "type": "string", "jsonPath": ".status.databaseServer", "priority": 1},
            {"name": "Owner", "type": "string", "jsonPath": ".spec.owner.email", "priority": 1},
            {"name": "Pool", "type": "string", "jsonPath": ".spec.pool", "priority": 1},
            {"name": "Suspended", "type": "string", "jsonPath": ".spec.suspended.reason", "priority": 1},
            {"name": "Proven", "type": "date", "jsonPath": ".status.provenAt", "priority": 1},
            {"name": "Last-Proof", "type": "date", "jsonPath": ".status.recovery.lastProof", "priority": 1},
            {"name": "Proof", "type": "string", "jsonPath": ".status.recovery.proofResult", "priority": 1},
        ]


__all__ = ["Metadata", "OwnLimits", "Owner", "Suspension", "Tenant", "TenantSpec", "TenantStatus"]
