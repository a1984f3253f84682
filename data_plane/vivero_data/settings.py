"""Configuration: environment variables and mounted secret files, all validated at start-up.

pydantic-settings would do this for 20 MB of resident memory in every idle
pod; msgspec, which Litestar brings anyway, checks the same types. Every
error names the variable or file, never its content.
"""

import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec
from vivero_core.log_events import Form
from vivero_core.model.constants import SECURITY_CONTACT_PATTERN
from vivero_web.mail import MailServer

from vivero_data.errors import SettingsError

if TYPE_CHECKING:
    from vivero_core.error_reports.dsn import Dsn

DEFAULT_SECRETS_DIR: Final = "/run/vivero"
_MAX_SECRET_BYTES: Final = 64 * 1024  # enough for a certificate bundle

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Hex64 = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{64}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
# The columns of the table `workspace` have the same bounds.
WorkspaceName = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
# Only host and port, so that the host can be displayed without parsing.
PublicUrl = Annotated[
    str,
    msgspec.Meta(pattern=r"^https?://(\[[0-9A-Fa-f:.]+\]|[^\s\x00-\x1f/?#@:\[\]\\]+)(:[0-9]{1,5})?\Z", max_length=300),
]
S = TypeVar("S", bound=msgspec.Struct)


class Environment(msgspec.Struct, frozen=True, rename="upper"):
    """The variables themselves, each with the prefix VIVERO_.

    Attributes:
        tenant_id: ten base-32 characters; the audience of login tickets.
        tenant_name: name of the workspace, until the operator sets one.
        public_url: its address for browsers, likewise.
        secrets_dir: folder of the mounted files.
        proxy_hops: trusted reverse proxies in front; 0 when clients connect directly.
        database_pool: maximum connections to the database; at least two, for creating the tables.
        max_file_bytes: largest single upload.
        security_contact: contact in security.txt, as mailto:, https: or tel:; without one there is no such file.
        metrics_port: port for Prometheus, on the address of the public port; not for the ingress.
        as_of: the data is as it was at this second, and read only: sessions are in the cache, and nothing runs by itself.
        log_level: of our own loggers.
        log_format: names of a line's fields, our own or those of the Elastic Common Schema.
        otlp_endpoint: collector of traces (OTLP over HTTP); without one nothing is traced.
        otlp_ratio: the share of the workspace's own traces that is kept; the operator's are as it says.
    """

    tenant_id: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,63}$")]
    tenant_name: WorkspaceName | None = None
    public_url: PublicUrl | None = None
    secrets_dir: str = DEFAULT_SECRETS_DIR
    proxy_hops: Annotated[int, msgspec.Meta(ge=0, le=5)] = 1
    database_pool: Annotated[int, msgspec.Meta(ge=2, le=100)] = 5
    max_file_bytes: Annotated[int, msgspec.Meta(ge=1, le=5 * 1024**3)] = 100 * 1024**2
    security_contact: Annotated[str, msgspec.Meta(pattern=SECURITY_CONTACT_PATTERN, max_length=254)] | None = None
    metrics_port: Port = 9090
    as_of: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    log_level: Annotated[str, msgspec.Meta(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    log_format: Form = "plain"
    otlp_endpoint: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s?#]+\Z", max_length=254)] | None = None
    otlp_ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0


SchemaName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]


class DatabaseSecret(msgspec.Struct, frozen=True):
    """Address and credentials of the schema.

    Attributes:
        audit: the schema of the audit log, insert and read only; without one it is in our own.
    """

    username: Text
    password: Text
    host: Text
    port: Port
    name: SchemaName
    audit: SchemaName | None = None


class CacheSecret(msgspec.Struct, frozen=True):
    """Address and credentials of the cache, and the prefix of all our keys."""

    username: Text
    password: Text
    host: Text
    port: Port
    prefix: Text


class StorageSecret(msgspec.Struct, frozen=True):
    """The bucket, its endpoint (https) and our credentials."""

    access_key: Text
    secret_key: Text
    endpoint: Annotated[str, msgspec.Meta(pattern="^https://[^/?#]+$")]
    bucket: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Text


class AppSecret(msgspec.Struct, frozen=True):
    """Keys of this program: for access tokens, for files at rest, and the operator's bearer token."""

    signing_key: Hex64
    file_key: Hex64
    operator_token: Hex64


class Settings(msgspec.Struct, frozen=True):
    """All settings of the process."""

    env: Environment
    database: DatabaseSecret
    cache: CacheSecret
    storage: StorageSecret
    app: AppSecret
    ca_file: Path
    ticket_key_file: Path
    limits_file: Path

    @property
    def mail_folder(self) -> Path:
        """The folder of the mail server's settings, if there is one."""
        return Path(self.env.secrets_dir) / "mail"

    @property
    def sentry_dsn_file(self) -> Path:
        """Where errors are reported to, if there is such a file."""
        return Path(self.env.secrets_dir) / "telemetry" / "sentry_dsn"

    def tls(self) -> ssl.SSLContext:
        """For connections to backing services: TLS 1.3, the platform's CA, host names verified.

        Raises:
            SettingsError: the file holds no certificate.
        """
        try:
            context = ssl.create_default_context(cafile=str(self.ca_file))
        except OSError as error:
            raise SettingsError(f"{self.ca_file}: holds no certificate in PEM ({type(error).__name__})") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context


def load(environ: Mapping[str, str]) -> Settings:
    """Read and validate everything.

    Raises:
        SettingsError: naming the variable or file at fault.
    """
    env = _environment(environ)
    folder = Path(env.secrets_dir)
    settings = Settings(
        env=env,
        database=_secret(folder / "database", DatabaseSecret),
        cache=_secret(folder / "cache", CacheSecret),
        storage=_secret(folder / "storage", StorageSecret),
        app=_secret(folder / "app", AppSecret),
        ca_file=folder / "platform" / "ca.crt",
        ticket_key_file=folder / "platform" / "ticket.pub",
        limits_file=folder / "limits" / "limits.json",
    )
    for path in (settings.ca_file, settings.limits_file):
        _read(path)
    return settings


def read_mail(folder: Path) -> MailServer | None:
    """The mail server of this workspace; None without a file `host`. Empty files count as absent.

    Raises:
        SettingsError: naming the file at fault.
    """
    given = _given(folder, MailServer.__struct_encode_fields__)
    return _convert(given, MailServer, str(folder / "{}")) if "host" in given else None


def read_sentry_dsn(file: Path) -> "Dsn | None":
    """Sentry's address of a project; None without the file. An empty file counts as absent.

    Raises:
        SettingsError: naming the file.
    """
    text = _given(file.parent, [file.name]).get(file.name)
    if text is None:
        return None
    from vivero_core.error_reports.dsn import read  # noqa: PLC0415  a workspace without one loads nothing for it

    try:
        return read(text)
    except ValueError as error:
        raise SettingsError(f"{file}: {error}") from None


def _environment(environ: Mapping[str, str]) -> Environment:
    names = {f"VIVERO_{name}": name for name in Environment.__struct_encode_fields__}
    given = {short: environ[name] for name, short in names.items() if environ.get(name)}
    return _convert(given, Environment, "VIVERO_{}")


def _secret(folder: Path, kind: type[S]) -> S:
    names = kind.__struct_encode_fields__
    needed = names[: len(names) - len(kind.__struct_defaults__)]
    given = {name: _read(folder / name) for name in needed} | _given(folder, names[len(needed) :])
    return _convert(given, kind, str(folder / "{}"))


def _given(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The contents of those files that exist and are not empty."""
    present = [name for name in names if (folder / name).is_file()]
    return {name: text for name in present if (text := _read(folder / name))}


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MAX_SECRET_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({type(error).__name__})") from error


def _convert(given: dict[str, str], kind: type[S], place: str) -> S:
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_explain(str(error), place)) from None  # the cause may contain a secret


def _explain(message: str, place: str) -> str:
    """The message with the variable's name, from msgspec's "... `FIELD`" (missing) or "... - at `$.FIELD`"."""
    text, _, at = message.partition(" - at `$.")
    name = at.rstrip("`") or text.rpartition("field `")[2].rstrip("`")
    return f"{place.format(name)}: {'is not set' if not at else text[0].lower() + text[1:]}"
