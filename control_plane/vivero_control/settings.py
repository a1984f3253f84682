"""Every setting of the control plane, checked once at start.

From the environment (`VIVERO_CACHE__HOST`) and, for what is secret, from
files that the cluster mounts: /run/vivero/<secret>/<key> sets
`settings.<secret>.<key>`, so `/run/vivero/database/password` is
`settings.database.password`. Another folder: VIVERO_SECRETS_DIR.
"""

import os
import ssl
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from vivero_core.error_reports.settings import SentryDsn
from vivero_core.log_events import Form
from vivero_core.model.constants import SECURITY_CONTACT_PATTERN, SIGNUPS_NAMESPACE
from vivero_core.model.naming import EMAIL_MAX_LENGTH, EMAIL_PATTERN, OBJECT_NAME_PATTERN
from vivero_core.tracing.settings import OtlpHeaders
from vivero_web.mail import MailServer

Port = Annotated[int, Field(ge=1, le=65535)]


class DatabaseSettings(BaseModel):
    """The control plane's own schema on MariaDB."""

    host: str = Field(min_length=1)
    port: Port = 3306
    name: str = Field(default="vivero_control", pattern=r"^[a-z][a-z0-9_]{0,62}$")
    username: str = Field(default="vivero_control", min_length=1)
    password: SecretStr
    pool_size: int = Field(default=10, ge=1, le=200)
    """Connections kept by one process; as many again may be opened for a moment."""


class CacheSettings(BaseModel):
    """Valkey: counters of requests, sessions of staff, the channel that wakes the worker."""

    host: str = Field(min_length=1)
    port: Port = 6379
    username: str = Field(default="vivero-control", min_length=1)
    password: SecretStr
    prefix: str = Field(default="control:", pattern=r"^[a-z][a-z0-9-]*:$")
    """Every key and channel starts with it: the ACL user may touch nothing else."""


class AppSettings(BaseModel):
    """Keys of the program itself, and the first administrator."""

    session_key: SecretStr = Field(min_length=32)
    """Keys for staff tokens, signups' bearers and request fingerprints are derived from it."""
    ticket_private_key: SecretStr
    """Ed25519, PEM: signs the one-time logins into new workspaces."""
    admin_email: str = Field(min_length=3, max_length=254)
    admin_password: SecretStr = Field(min_length=12)


class PlatformSettings(BaseModel):
    """What the whole platform shares."""

    ca: Path | None = None
    """CA file for database, cache and mail; none: the system's authorities."""

    @field_validator("ca")
    @classmethod
    def _holds_certificates(cls, ca: Path | None) -> Path | None:
        try:
            ssl.create_default_context(cafile=ca)
        except OSError as error:
            raise ValueError(f"{ca} holds no certificate in PEM ({type(error).__name__})") from error
        return ca


class MailSettings(BaseModel):
    """The SMTP server that takes our mails."""

    host: str = Field(min_length=1)
    port: Port = 587
    security: Literal["starttls", "tls"] = "starttls"
    sender: str = Field(default="Vivero <no-reply@vivero.localhost>", max_length=254)
    reply_to: str | None = Field(default=None, pattern=EMAIL_PATTERN, max_length=EMAIL_MAX_LENGTH)
    """Where answers to our mails are read; without one no mail asks for an answer."""
    username: str | None = None
    password: SecretStr | None = None
    timeout: float = Field(default=10.0, gt=0, le=60)
    """Seconds for one whole delivery to the server."""

    def server(self) -> MailServer:
        """The same for who sends."""
        password = self.password.get_secret_value() if self.password else None
        return MailServer(**{**self.model_dump(), "password": password})


class SubProcessor(BaseModel):
    """Another company that processes customers' data for this one."""

    name: str = Field(min_length=1, max_length=120)
    purpose: str = Field(min_length=1, max_length=200)
    place: str = Field(min_length=1, max_length=120)
    """Where it does so."""


class InvoicingSettings(BaseModel):
    """How the company sells by quote and invoice."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    """Of the company's address, as in ISO 3166."""
    vat_rate: Decimal = Field(ge=0, le=50, decimal_places=2)
    """Per cent, for customers in the same country, and in the EU without a VAT id."""
    iban: str = Field(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")
    """Where invoices are paid, without spaces."""
    bic: str | None = Field(default=None, pattern=r"^[A-Z0-9]{8}([A-Z0-9]{3})?$")

    @property
    def rate(self) -> int:
        """In hundredths of a per cent."""
        return int(self.vat_rate * 100)


class CompanySettings(BaseModel):
    """Who runs this installation, for its pages about contact, imprint, privacy, terms and the processing of data."""

    name: str = Field(min_length=1, max_length=120)
    address: str = Field(min_length=1, max_length=500)
    """Lines of the postal address."""
    email: str = Field(pattern=EMAIL_PATTERN, max_length=EMAIL_MAX_LENGTH)
    """Read by people."""
    phone: str | None = Field(default=None, max_length=40, pattern=r"^\+?[0-9][0-9 ()/.-]*$")
    represented_by: str | None = Field(default=None, max_length=200)
    register_entry: str | None = Field(default=None, max_length=200)
    """Register and number."""
    vat_id: str | None = Field(default=None, max_length=20)
    law: str | None = Field(default=None, max_length=80)
    """The country whose law holds for contracts."""
    sub_processors: list[SubProcessor] = Field(default_factory=list, max_length=50)
    invoicing: InvoicingSettings | None = None
    """None: there are no quotes and contracts."""

    @model_validator(mode="after")
    def _invoices_name_the_seller(self) -> Self:
        if self.invoicing is not None and not self.vat_id:
            raise ValueError("invoicing needs vat_id, which stands on each invoice")
        return self


class KubeSettings(BaseModel):
    """The cluster whose Tenants we write and watch."""

    kubeconfig: Path | None = None
    """None: $KUBECONFIG, else the pod's service account."""
    signups_namespace: str = SIGNUPS_NAMESPACE
    timeout: float = Field(default=5.0, gt=0, le=60)
    """Seconds for one request; a signup that waits longer is finished by the worker."""


class IngressSettings(BaseModel):
    """Where new workspaces are probed before their owners are sent there."""

    address: str | None = Field(default=None, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=253)
    """The ingress as we reach it; none: where the public names lead, as for a browser."""
    port: Port = 443
    """Of `address`; without one the public port counts."""
    patience: float = Field(default=5.0, ge=0, le=30)
    """Seconds to probe a new workspace before it is assumed reachable; 0: no probe."""


class LimitSettings(BaseModel):
    """Limits of one client address, and of the process."""

    requests_per_minute: int = Field(default=100, ge=1)
    """And half as many workspaces an hour: a room of people in a course signs up from one address."""
    forwarded_hops: int = Field(default=0, ge=0, le=5)
    """How many proxies of ours append to X-Forwarded-For; 0 ignores the header."""
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(default_factory=list)
    """Peers whose X-Forwarded-For counts; from anyone else it is ignored."""
    event_streams: int = Field(default=1000, ge=1)
    """Progress streams open at once in one process; above it new ones get 503."""
    body_bytes: int = Field(default=64 * 1024, ge=1024)

    @property
    def signups_per_hour(self) -> int:
        return max(1, self.requests_per_minute // 2)

    @property
    def signups_before_proof(self) -> int:
        """Tries in an hour after which each signup needs a proof of work."""
        return max(1, self.signups_per_hour // 5)


class JobSettings(BaseModel):
    """Jobs: mails, and provisioning that failed in its request."""

    patience_hours: float = Field(default=24.0, gt=0, le=24 * 7)
    """How long one is retried, from its first failure on: longer than a bad night. Then it is a dead letter."""


class ProbeSettings(BaseModel):
    """Synthetic probes by the worker: the platform used as a customer uses it (ADR 0072)."""

    interval_hours: float = Field(default=2.0, gt=0, le=24)
    """Between two signups; one that failed is tried again after five minutes."""
    plan: str | None = Field(default=None, pattern=OBJECT_NAME_PATTERN, max_length=253)
    """Plan with `undoDays: 0`, so that what a probe has made goes at once; none: its data is kept as any trial's is."""


class BillingSettings(BaseModel):
    """The payment provider: Stripe, or what speaks its API."""

    api_url: AnyHttpUrl = AnyHttpUrl("https://api.stripe.com")
    pages_url: AnyHttpUrl | None = None
    """Where browsers find the provider's own pages, if that is another address; Stripe's are known."""
    secret_key: SecretStr = Field(min_length=8)
    webhook_secret: SecretStr = Field(min_length=8)
    """Signs what the provider sends us."""

    @field_validator("api_url", "pages_url")
    @classmethod
    def _encrypted(cls, url: AnyHttpUrl | None) -> AnyHttpUrl | None:
        if url is not None and url.scheme != "https" and url.host not in {"127.0.0.1", "localhost"}:
            raise ValueError("must be https, but for this very machine")
        return url

    @property
    def pages(self) -> str:
        """Origins of the provider's own pages, where our forms lead."""
        if self.api_url.host == "api.stripe.com":
            return "https://checkout.stripe.com https://billing.stripe.com"
        return str(self.pages_url or self.api_url).rstrip("/")


class StaffSettings(BaseModel):
    """What holds for those who run the platform."""

    second_factor_required: bool = False
    """Whether who has not set up two-step login can do nothing else before."""


class CostSettings(BaseModel):
    """What a tenant costs who runs the platform, in a month."""

    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    workspace_cents: int = Field(ge=0, le=10**9)
    """Of a workspace that runs: its pod, and its share of the servers."""
    storage_gib_cents: int = Field(ge=0, le=10**9)
    """Of a GiB of records and files."""


class MonitoringSettings(BaseModel):
    """Where the page Operations of the console has its figures from."""

    prometheus_url: AnyHttpUrl | None = None
    """As this program reaches it; None: the page says that there is none."""


class TelemetrySettings(BaseModel):
    """Off unless told where to."""

    otlp_endpoint: AnyHttpUrl | None = None
    """Collector of traces (OTLP over HTTP)."""
    otlp_headers: OtlpHeaders | None = None
    otlp_ratio: float = Field(default=1.0, ge=0, le=1)
    """The share of traces that is kept."""
    sentry_dsn: SentryDsn | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Form = "plain"
    """Names of a line's fields: our own, or those of the Elastic Common Schema."""


class Settings(BaseSettings):
    """All of it; an instance exists only if everything is valid."""

    model_config = SettingsConfigDict(
        env_prefix="VIVERO_",
        env_nested_delimiter="__",
        extra="ignore",
        hide_input_in_errors=True,
        secrets_dir=os.environ.get("VIVERO_SECRETS_DIR", "/run/vivero"),
    )

    public_url: AnyHttpUrl
    """Where people reach the control plane, for example https://vivero.localhost:8443. Workspaces live under it."""
    listen_host: str = "0.0.0.0"  # noqa: S104  in a pod; the NetworkPolicy says who may connect
    listen_port: Port = 8080
    metrics_port: Port = 9090
    """Where kubelet and Prometheus ask: health and metrics, whatever the Host header. Not for the ingress."""
    security_contact: str | None = Field(default=None, pattern=SECURITY_CONTACT_PATTERN, max_length=254)
    """Whom security.txt names, as mailto:, https: or tel:; without one there is none."""
    cors_origins: list[str] = Field(default_factory=list)
    """Foreign pages that may call the API from a browser; none by default."""
    database: DatabaseSettings
    cache: CacheSettings
    app: AppSettings
    platform: PlatformSettings = PlatformSettings()
    mail: MailSettings
    company: CompanySettings | None = None
    """None: the site has no pages that need it, and offers none."""
    billing: BillingSettings | None = None
    """None: nothing is sold online, and no page offers it."""
    kube: KubeSettings = KubeSettings()
    ingress: IngressSettings = IngressSettings()
    limits: LimitSettings = LimitSettings()
    jobs: JobSettings = JobSettings()
    staff: StaffSettings = StaffSettings()
    probe: ProbeSettings | None = None
    """None: there are no probes."""
    monitoring: MonitoringSettings = MonitoringSettings()
    costs: CostSettings | None = None
    """None: no margins are calculated."""
    telemetry: TelemetrySettings = TelemetrySettings()

    @field_validator("public_url")
    @classmethod
    def _https(cls, url: AnyHttpUrl) -> AnyHttpUrl:
        if url.scheme != "https" or not url.host or url.path not in (None, "/"):
            raise ValueError("must be an https address without a path")
        return url

    @property
    def domain(self) -> str:
        """The control plane's own host name."""
        return self.public_url.host or ""

    @property
    def origin(self) -> str:
        """The control plane's own origin, as browsers send it: without the default port."""
        return str(self.public_url).rstrip("/")

    def tenant_url(self, slug: str) -> str:
        """Where the workspace of this slug answers."""
        return self.origin.replace("https://", f"https://{slug}.", 1)

    @property
    def account_url(self) -> str:
        """Where the owner of a workspace manages it."""
        return f"{self.origin}/account"

    @property
    def plan_url(self) -> str:
        """The page there about plan and invoices, which the payment provider leads back to."""
        return f"{self.account_url}/plan"

    def account_of(self, slug: str) -> str:
        """The same, with the workspace filled in."""
        return f"{self.account_url}?workspace={slug}"

    def confirm_of(self, slug: str) -> str:
        """Where the owner of a workspace asks for another link that confirms the address."""
        return f"{self.origin}/confirm/again?workspace={slug}"

    def lead_page(self, signup_id: str) -> str:
        """Where staff see a lead."""
        return f"{self.origin}/staff/leads/{signup_id}"

    def tls(self) -> ssl.SSLContext:
        """For every client of a backing service: our CA, host names checked, TLS 1.3 only."""
        context = ssl.create_default_context(cafile=self.platform.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the hook's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings  # a stray .env file must not configure a server
        files = NestedSecretsSettingsSource(
            file_secret_settings, secrets_dir_missing="ok", secrets_nested_subdir=True, secrets_prefix=""
        )
        return init_settings, env_settings, files


def load() -> Settings:
    """From environment and files.

    Raises:
        pydantic.ValidationError: naming every setting that is missing or wrong.
    """
    return Settings()
