"""Prometheus and Alertmanager of the distribution as processes of users of their own.

Prometheus is where pods reach it as well, for the console asks it; Alertmanager on loopback alone.
"""

from dataclasses import dataclass
from pathlib import Path

from vivero_dev.certificates import Authority
from vivero_dev.debian import extracted
from vivero_dev.instance import Instance
from vivero_dev.native.files import write_private, write_public
from vivero_dev.native.layout import Cluster
from vivero_dev.native.services.base import FIRST_UID, LOOPBACK, OWN_USER, VIEW, ServiceHost, run_own, serve_certified
from vivero_dev.observability import configuration
from vivero_dev.observability.account import PROMETHEUS as PROMETHEUS_ACCOUNT
from vivero_dev.observability.account import ensure_token
from vivero_dev.observability.configuration import SMTP_AUTHORITY, TARGETS, Monitoring
from vivero_dev.observability.health import health
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

READY_SECONDS = 30.0
RETENTION = "15d"
# Debian's Alertmanager looks for its templates below it, whatever its configuration says.
SHARED = Path("/usr/share")


@dataclass(frozen=True, slots=True)
class Program:
    """One of the two: `name` is that of its process, port and folder."""

    name: str
    package: str
    user: User
    for_pods: bool = False

    def binds(self, cache: Path) -> list[tuple[Path, Path]]:
        """The program and its templates, unpacked into the cache; installing the package would start a service."""
        found = extracted(cache, self.package) / "usr"
        return [(found / "bin" / self.package, VIEW / self.name), (found / "share", SHARED)]

    def url(self, host: ServiceHost) -> str:
        """Where it answers."""
        address = host.addresses[-1] if self.for_pods else LOOPBACK
        return f"https://{address}:{host.instance.ports[self.name]}"


PROMETHEUS = Program("prometheus", "prometheus", User(FIRST_UID + 4, FIRST_UID + 4), for_pods=True)
ALERTMANAGER = Program("alertmanager", "prometheus-alertmanager", User(FIRST_UID + 5, FIRST_UID + 5))
PROGRAMS = (PROMETHEUS, ALERTMANAGER)
DISCOVERY = "discovery"
STOP_ORDER = (PROMETHEUS.name, DISCOVERY, ALERTMANAGER.name)


@dataclass(frozen=True, slots=True)
class Watched:
    """The platform that is watched: where its pods are listed, and where on loopback it takes mails."""

    server: str
    authority: str
    token: str
    """Of Prometheus' account there."""
    smtp_port: int
    smtp_authority: str
    """Of the mail server's certificate."""

    @classmethod
    def of(cls, instance: Instance) -> "Watched":
        """An instance that is up; the account is made there."""
        cluster = Cluster(instance)
        return cls(
            cluster.server,
            cluster.authority.certificate.read_text(),
            ensure_token(cluster.kubectl, PROMETHEUS_ACCOUNT),
            instance.ports["smtp"],
            Authority(instance.certificates_dir).certificate.read_text(),
        )


def ensure_watching(host: ServiceHost, watched: Watched, monitoring: Monitoring, say: Say) -> tuple[str, str]:
    """Addresses of Prometheus and of Alertmanager, which run for `host` and do as the charts say."""
    alertmanager = ensure_alertmanager(host, watched, say)
    return ensure_prometheus(host, monitoring, ensure_discovery(host, watched, say), say), alertmanager


def ensure_alertmanager(host: ServiceHost, watched: Watched, say: Say) -> str:
    """Its address; it mails by the mail server of the platform."""
    folder = host.certified_folder(ALERTMANAGER.name, ALERTMANAGER.user, "data")
    text = configuration.alertmanager(f"{LOOPBACK}:{watched.smtp_port}", str(VIEW))
    write_public(folder / SMTP_AUTHORITY, watched.smtp_authority)
    write_public(folder / "alertmanager.yml", text)
    flags = [
        f"--config.file={VIEW}/alertmanager.yml",
        f"--storage.path={VIEW}/data",
        # One of its kind: no others to share silences with.
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    say("starting Alertmanager")
    return _serve(host, ALERTMANAGER, flags, text + watched.smtp_authority)


def ensure_discovery(host: ServiceHost, watched: Watched, say: Say) -> Path:
    """The folder with the targets, which a process of its own keeps as the pods come and go."""
    folder = host.own_folder(DISCOVERY, OWN_USER)
    targets = folder / Path(TARGETS).parent
    # Prometheus reads it as another user.
    targets.mkdir(mode=0o755, exist_ok=True)
    authority = write_public(folder / "ca.crt", watched.authority)
    token = write_private(folder / "token", watched.token)
    file = folder / TARGETS
    say("looking for pods")
    arguments = [f"--server={watched.server}", f"--authority={authority}", f"--token-file={token}", f"--file={file}"]
    run_own(host, DISCOVERY, arguments, file.exists, watched.authority + watched.token)
    return targets


def ensure_prometheus(host: ServiceHost, monitoring: Monitoring, targets: Path, say: Say) -> str:
    """Its address; it scrapes what `targets` lists, and tells the instance's Alertmanager."""
    folder = host.certified_folder(PROMETHEUS.name, PROMETHEUS.user, "data")
    (folder / targets.name).mkdir(exist_ok=True)
    rules = monitoring.rule_files()
    for name, content in rules.items():
        write_public(folder / name, content)
    told = f"{LOOPBACK}:{host.instance.ports[ALERTMANAGER.name]}"
    text = configuration.prometheus(monitoring, told, str(VIEW))
    write_public(folder / "prometheus.yml", text)
    flags = [
        f"--config.file={VIEW}/prometheus.yml",
        f"--storage.tsdb.path={VIEW}/data",
        f"--storage.tsdb.retention.time={RETENTION}",
        "--log.level=warn",
    ]
    say("starting Prometheus")
    return _serve(host, PROMETHEUS, flags, "".join([text, *rules.values()]), (targets, VIEW / targets.name))


def _serve(host: ServiceHost, program: Program, flags: list[str], revision: str, *binds: tuple[Path, Path]) -> str:
    """Run it from its certified folder; it answers over TLS on its port of the instance."""
    folder, url = host.instance.folder(program.name), program.url(host)
    write_public(folder / "web.yml", configuration.web(str(VIEW)))
    (folder / program.name).touch()
    command = [
        f"{VIEW}/{program.name}",
        *flags,
        f"--web.listen-address={url.removeprefix('https://')}",
        f"--web.config.file={VIEW}/web.yml",
        f"--web.external-url={url}",
    ]
    spec = ProcessSpec(
        program.name,
        command,
        user=program.user,
        binds=[*binds, *program.binds(host.instance.cache_dir)],
        revision=revision,
        deadline=READY_SECONDS,
    )
    serve_certified(host, spec, lambda: health(program.name, url, host.authority.certificate).ok)
    return url
