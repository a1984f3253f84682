"""Jaeger and VictoriaLogs, which keep a platform's traces and logs, as processes of users of their own.

People and scripts ask both over TLS on loopback. Traces arrive by OTLP, from pods at the host's end of the veth pair.
An agent of VictoriaLogs reads what the containers write, where kubelet puts it.
"""

from dataclasses import dataclass
from pathlib import Path

from vivero_dev.native.files import write_private, write_public
from vivero_dev.native.services.base import FIRST_UID, LOOPBACK, OWN_USER, VIEW, ServiceHost, serve_certified
from vivero_dev.native.tools import ensure_tools, program
from vivero_dev.observability import telemetry
from vivero_dev.observability.health import health
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

READY_SECONDS = 30.0
CONTAINER_LOGS = Path("/var/log/containers")
TOOLS = ("jaeger", "victoria-logs", "vlagent")
AGENT = "logs-agent"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where one kind of telemetry is kept: `name` is that of its process, port and folder."""

    name: str
    tool: str
    user: User

    def url(self, host: ServiceHost) -> str:
        """Where it answers."""
        return f"https://{LOOPBACK}:{host.instance.ports[self.name]}"


JAEGER = Kept("jaeger", "jaeger", User(FIRST_UID + 6, FIRST_UID + 6))
LOGS = Kept("logs", "victoria-logs", User(FIRST_UID + 7, FIRST_UID + 7))
PROGRAMS = (JAEGER, LOGS)
STOP_ORDER = (AGENT, LOGS.name, JAEGER.name)


@dataclass(frozen=True, slots=True)
class Source:
    """The API server that says whose logs the containers' are, as the agent asks it."""

    server: str
    authority: str
    token: str


def ensure_telemetry(host: ServiceHost, source: Source, say: Say) -> tuple[str, str]:
    """Addresses of Jaeger and of VictoriaLogs, which run for `host`."""
    instance = host.instance
    ensure_tools(instance.cache_dir, TOOLS, instance.log_dir / "telemetry.log", say)
    traces = ensure_jaeger(host, say)
    logs = ensure_logs(host, say)
    ensure_agent(host, source, say)
    return traces, logs


def ensure_jaeger(host: ServiceHost, say: Say) -> str:
    """Its address; it takes traces on every address of the host."""
    folder, ports = host.certified_folder(JAEGER.name, JAEGER.user, "data"), host.instance.ports
    receivers = [f"{address}:{ports['otlp']}" for address in host.addresses]
    text = telemetry.jaeger(f"{LOOPBACK}:{ports[JAEGER.name]}", receivers, str(VIEW))
    write_public(folder / "jaeger.json", text)
    say("starting Jaeger")
    return _serve(host, JAEGER, [f"--config={VIEW}/jaeger.json"], text)


def ensure_logs(host: ServiceHost, say: Say) -> str:
    """The address of VictoriaLogs."""
    host.certified_folder(LOGS.name, LOGS.user, "data")
    flags = [
        f"-storageDataPath={VIEW}/data",
        f"-retentionPeriod={telemetry.DAYS}d",
        f"-httpListenAddr={LOOPBACK}:{host.instance.ports[LOGS.name]}",
        "-tls",
        f"-tlsCertFile={VIEW}/tls.crt",
        f"-tlsKeyFile={VIEW}/tls.key",
        "-loggerLevel=WARN",
    ]
    say("starting VictoriaLogs")
    return _serve(host, LOGS, flags, "")


def ensure_agent(host: ServiceHost, source: Source, say: Say) -> None:
    """It remembers how far it has read, so that a restart loses no line and tells none twice."""
    # Its folder is not bind-mounted: the logs that it reads are links into the instance's state.
    folder, instance = host.certified_folder(AGENT, OWN_USER, "data"), host.instance
    write_public(folder / "api-server.crt", source.authority)
    account = telemetry.kubeconfig(source.server, str(folder / "api-server.crt"), source.token)
    flags = [
        "-kubernetesCollector",
        f"-kubernetesCollector.logsPath={CONTAINER_LOGS}",
        *(f"-kubernetesCollector.msgField={name}" for name in telemetry.MESSAGE_FIELDS),
        *(f"-kubernetesCollector.timeField={name}" for name in telemetry.TIME_FIELDS),
        f"-remoteWrite.url={LOGS.url(host)}/insert/native",
        f"-remoteWrite.tlsCAFile={folder}/ca.crt",
        f"-tmpDataPath={folder}/data",
        f"-httpListenAddr={LOOPBACK}:{instance.ports[AGENT]}",
        "-loggerLevel=WARN",
    ]
    say("starting the logs' agent")
    url = f"http://{LOOPBACK}:{instance.ports[AGENT]}"
    host.processes.ensure(
        ProcessSpec(
            AGENT,
            [str(program(instance.cache_dir, "vlagent")), *flags],
            environment={"KUBECONFIG": str(write_private(folder / "kubeconfig", account))},
            user=OWN_USER,
            revision=account + source.authority + host.certificate().certificate.read_text(),
            ready=lambda: health(AGENT, url, host.authority.certificate).ok,
            deadline=READY_SECONDS,
        )
    )


def _serve(host: ServiceHost, kept: Kept, flags: list[str], revision: str) -> str:
    """Run it from its certified folder."""
    url = kept.url(host)
    (host.instance.folder(kept.name) / kept.tool).touch()
    spec = ProcessSpec(
        kept.name,
        [f"{VIEW}/{kept.tool}", *flags],
        user=kept.user,
        binds=[(program(host.instance.cache_dir, kept.tool), VIEW / kept.tool)],
        revision=revision,
        deadline=READY_SECONDS,
    )
    serve_certified(host, spec, lambda: health(kept.name, url, host.authority.certificate).ok)
    return url
