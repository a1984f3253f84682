"""Settings of the operator from environment variables (prefix VIVERO_); validated once, at start."""

import os
import socket
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from vivero_core.error_reports.settings import SentryDsn
from vivero_core.log_events import Form
from vivero_core.model.base import ObjectName
from vivero_core.model.constants import PLATFORM_NAMESPACE, SECURITY_CONTACT_PATTERN, SIGNUPS_NAMESPACE
from vivero_core.tracing.settings import OtlpHeaders

from vivero_operator.archiver.lock import Lock, Mode
from vivero_operator.dns_records import parse_server
from vivero_operator.pod_options import LabelKey, PodOptions, Text

HTTPS_PORT = 443
CONTOUR_ROUTES: Final = {
    "projectcontour.io/tls-minimum-protocol-version": "1.3",
    # A download takes as long as its line is slow. What says nothing for a while is ended by the ingress' idle time.
    "projectcontour.io/response-timeout": "infinity",
    "ingress.kubernetes.io/force-ssl-redirect": "true",
    # A pod that has just crashed refuses connections until kubelet notices, a second later at most. Nothing has been sent by
    # then, so it may be tried again; with pauses up to a quarter of a second these tries outlast that (ADR 0034).
    "projectcontour.io/retry-on": "connect-failure",
    "projectcontour.io/num-retries": "12",
}
# So many visitors at once may wait for a pod that has just crashed; Envoy's own bound is three.
CONTOUR_SERVICES: Final = {"projectcontour.io/max-retries": "100"}


def _dns_server(address: str) -> str:
    parse_server(address)
    return address


class Gateway(BaseModel):
    """A Gateway of the platform, and its listener for *.<base domain>, which holds that certificate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ObjectName
    namespace: ObjectName
    listener: ObjectName


class ProofSchedule(BaseModel):
    """When tenants' archives are proven."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    begins: int = Field(default=1, ge=0, le=23)
    hours: int = Field(default=5, ge=1, le=24)
    atOnce: int = Field(default=1, ge=0, le=100)  # noqa: N815  as the chart's values have it


class Settings(BaseSettings):
    """Where the platform is, limits and pace of the operator."""

    model_config = SettingsConfigDict(
        env_prefix="VIVERO_", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )

    data_plane_image: str = Field(min_length=1)
    """Image of the tenants' pods."""
    image_pull_policy: str = Field(default="IfNotPresent", pattern="^(Always|IfNotPresent|Never)$")
    """Passed on to the tenants' pods."""
    operator_image: str = ""
    """This program's own image: operations on a tenant's data are Jobs that run in it."""
    operator_pull_policy: str = Field(default="IfNotPresent", pattern="^(Always|IfNotPresent|Never)$")
    """Of that image."""
    operator_pod: PodOptions = PodOptions()
    """Where this program's own pods run, as whom, and with which Secrets their image is pulled: those Jobs' pods as well."""
    data_plane_pod: PodOptions = PodOptions()
    """Where tenants' pods run, as whom, and with which Secrets their image is pulled."""

    security_contact: str | None = Field(default=None, pattern=SECURITY_CONTACT_PATTERN, max_length=254)
    """Whom the workspaces' security.txt names, as mailto:, https: or tel:; without one there is none."""

    account_url: str | None = Field(default=None, pattern=r"^https://[^\s?#]+$", max_length=254)
    """Page of the control plane where owners choose and pay plans; None: nothing is sold online."""

    otlp_endpoint: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$", max_length=254)
    """Collector of traces (OTLP over HTTP); None: nothing is traced."""
    otlp_headers: OtlpHeaders | None = None
    """What a product asks for beside them."""
    sentry_dsn: SentryDsn | None = None
    """Where errors are reported to; None: they are in the log alone."""
    workspace_telemetry_secret: str = ""
    """Secret in the platform namespace, key sentry_dsn: where tenants' workspaces report errors to. Empty: they report none."""
    workspace_otlp_endpoint: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$", max_length=254)
    """Collector that tenants' pods send to, without headers: no key of ours is in a tenant's namespace. None: their own
    spans are in no trace."""
    workspace_otlp_ratio: float = Field(default=0.1, ge=0, le=1)
    """The share of a workspace's requests whose traces are kept; that of its signup is kept in any case."""

    base_domain: str = "vivero.localhost"
    """A tenant answers at <slug>.<base domain>."""
    public_port: int = Field(default=8443, ge=1, le=65535)
    """Port of the public URLs; 443 is left out of them."""
    gateway: Gateway | None = None
    """Whose HTTPRoutes tenants get (Gateway API); without one they get Ingresses."""
    ingress_class: str = "contour"
    """ingressClassName of the tenants' Ingresses."""
    ingress_annotations: dict[LabelKey, Text] = CONTOUR_ROUTES
    """Annotations of the tenants' Ingresses, in the words of the controller behind ingress_class."""
    ingress_service_annotations: dict[LabelKey, Text] = CONTOUR_SERVICES
    """Annotations of the tenants' Services, in the same words."""
    ingress_namespace: str = "projectcontour"
    """Namespace whose pods may reach the tenants' pods, besides the platform's own."""
    monitoring_namespace: str = ""
    """Namespace whose pods may read the tenants' metrics; empty: none may, where NetworkPolicies are enforced."""
    wildcard_tls_secret: str = "wildcard-tls"  # noqa: S105  a Secret's name
    """Secret in the platform namespace with the certificate for *.<base domain>."""
    wildcard_tls: Literal["delegated", "default"] = "delegated"
    """How the ingress controller finds that certificate, which no tenant's namespace holds: Contour is told where it is
    (TLSCertificateDelegation), or it is the controller's default certificate."""

    host_verification: Literal["dns", "off"] = "dns"
    """How the ownership of a customer's own host is proven: by a TXT record, or not at all, where staff vouch for it."""
    dns_servers: tuple[Annotated[str, AfterValidator(_dns_server)], ...] = ()
    """Addresses (with a port where it is not 53) to ask for those records; none: the pod's own resolver."""
    host_issuer: str = ""
    """cert-manager ClusterIssuer for hosts without a certificate of their own; empty where there is no cert-manager."""

    platform_namespace: str = PLATFORM_NAMESPACE
    service_account: str = "vivero-operator"
    """The operator's own account in the platform namespace: it gets its rights in each tenant's namespace."""
    signups_namespace: str = SIGNUPS_NAMESPACE
    ca_config_map: str = "vivero-ca"
    """ConfigMap in the platform namespace, key ca.crt: the authority of all backing services."""
    ticket_key_config_map: str = "ticket-public-key"
    """ConfigMap in the platform namespace, key ticket.pub: verifies login tickets."""
    mail_secret: str = ""
    """Secret in the platform namespace, keys host, sender and perhaps port, security, reply_to, username, password: the mail
    server that tenants' workspaces send through. Empty: they send no mail."""
    control_plane_service: str = "vivero-control-plane"
    """Service in the platform namespace that answers for suspended tenants' own hosts."""

    valkey_host: str = "valkey.vivero-backing.svc.cluster.local"
    valkey_port: int = Field(default=6379, ge=1, le=65535)
    valkey_admin_secret: str = "valkey-admin"  # noqa: S105  a Secret's name
    valkey_users: Literal["acl", "elasticache"] = "acl"
    """Who keeps tenants' users: that server, or AWS, for an ElastiCache whose administrator valkey_admin_secret is."""
    elasticache_endpoint: str = "https://elasticache.us-east-1.amazonaws.com"
    """Where AWS is asked, if it keeps them."""
    elasticache_region: str = "us-east-1"
    elasticache_user_group: str = "vivero"
    """The user group of the cache."""
    elasticache_admin_secret: str = "elasticache-admin"  # noqa: S105  a Secret's name
    """Secret in the platform namespace, keys access_key and secret_key: the operator's access key of AWS."""
    s3_endpoint: str = "https://s3.vivero-backing.svc.cluster.local:7070"
    s3_region: str = "us-east-1"
    s3_admin_secret: str = "s3-admin"  # noqa: S105  a Secret's name
    s3_accounts: Literal["versitygw", "iam"] = "versitygw"
    """Who keeps tenants' accounts: the admin API of that server, or AWS IAM, which makes access keys itself."""
    iam_endpoint: str = "https://iam.amazonaws.com"
    """Where IAM is, if it keeps them."""
    backup_secret: str = ""
    """Secret in the platform namespace, keys endpoint, region, bucket, access_key, secret_key: the bucket that backups go
    to, and an account that no tenant has. Empty: there are no backups."""
    backups_at_once: int = Field(default=2, ge=1, le=100)
    """Scheduled backups that run at the same time, and Jobs that remove what has expired."""
    recovery_days: int = Field(default=14, ge=1, le=3650)
    """To any second of so many days a tenant can be brought back, where its server's log is archived: what is older of the
    log, and needed for no second within, is removed."""
    backup_lock: Literal[""] | Mode = ""
    """The mode of Object Lock in which what is written to the backup bucket is kept for `recovery_days`; empty: not locked.
    The bucket has to be made with Object Lock."""
    proof_schedule: ProofSchedule = ProofSchedule()
    """From which hour (UTC) for how many hours TenantProofs are made for tenants that have changed, and how many run at once;
    none with atOnce 0."""
    egress_cidrs: tuple[str, ...] = ("0.0.0.0/0",)
    """Where tenants' pods may connect to, besides cluster DNS; link-local addresses never."""

    identity: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}", min_length=1, max_length=253)
    """This replica's name in the leader's Lease; in a pod its name."""
    lease_name: str = "vivero-operator"
    admin_host: str = "0.0.0.0"  # noqa: S104  kubelet and Prometheus come from outside the pod
    admin_port: int = Field(default=8081, ge=0, le=65535)
    """Health and metrics."""
    concurrency: int = Field(default=12, ge=1, le=500)
    """Reconciles at once."""
    spares_at_once: int = Field(default=4, ge=1, le=100)
    """Spares of one pool that start at the same time: refilling leaves room for those who wait."""
    resync_seconds: float = Field(default=600, ge=10)
    """How often every tenant is reconciled although nothing seems to have changed; with jitter."""
    starts_at_once: int = Field(default=6, ge=1, le=1000)
    """Tenants that start at the same time: the first of many is Ready long before the last has begun."""
    release_batch: int = Field(default=5, ge=1, le=1000)
    """Pace of a new Release: tenants updated at a time."""
    release_pause_seconds: int = Field(default=30, ge=0, le=86_400)
    """How long a batch has to be Ready before the next one."""
    release_deadline_seconds: int = Field(default=300, ge=10, le=86_400)
    """When an updated tenant that is not Ready has failed."""
    release_failures: int = Field(default=1, ge=1, le=1000)
    """This many failed tenants halt a rollout."""
    proof_seconds: float = Field(default=1800, ge=30)
    """Age at which a tenant's proof is renewed."""
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_format: Form = "plain"
    """Names of a line's fields: our own, or those of the Elastic Common Schema. Tenants' pods log likewise."""

    @property
    def storage_keys_are_issued(self) -> bool:
        """Whether access keys and their secrets are made by the server, and not here."""
        return self.s3_accounts == "iam"

    @property
    def lock(self) -> Lock | None:
        """What keeps what is written to the backup bucket."""
        return Lock(self.backup_lock, self.recovery_days) if self.backup_lock else None

    @property
    def proof_lasts(self) -> timedelta:
        """Until when a proof counts: it is renewed once it is older than proof_seconds, at the next look."""
        return timedelta(seconds=self.proof_seconds + 2 * self.resync_seconds)

    def public_host(self, slug: str) -> str:
        return f"{slug}.{self.base_domain}"

    @property
    def confirm_url(self) -> str:
        """Page of the control plane where the owner of a workspace asks for another link that confirms the address."""
        return f"{self.public_url(self.base_domain)}/confirm/again"

    def public_url(self, host: str) -> str:
        return f"https://{host}" if self.public_port == HTTPS_PORT else f"https://{host}:{self.public_port}"
