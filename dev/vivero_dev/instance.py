"""Named, isolated instances of the local platform.

Each instance has a state folder, ports on 127.0.0.1 and address ranges that no
other instance on this machine uses, so that a test run does not interfere with
the platform in use. This module knows where all parts of an instance are.
"""

import fcntl
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import AllocationError, BadNameError

DEFAULT_NAME = "default"
# Part of paths, of the network namespace's name and of cgroup names.
NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,22}[a-z0-9]")

# Addresses that people type should stay the same from one `up` to the next:
# the default instance tries these ports first.
PREFERRED_PORTS = {
    "https": 8443,
    "http": 8080,
    "envoy": 9901,
    "mariadb": 3306,
    "valkey": 6379,
    "s3": 7070,
    "smtp": 1025,
    "mail": 8025,
    "payments": 12112,
    "prometheus": 9090,
    "alertmanager": 9093,
    "jaeger": 16686,
    "otlp": 4318,
    "logs": 9428,
    "logs-agent": 9429,
}
# Below the kernel's ephemeral range (32768), so that no outgoing connection
# takes a port between allocation and bind.
FALLBACK_PORTS = range(20000, 32000)

# 1,024 instances would fit; 64 keeps each range inside blocks seldom used by
# VPNs and home routers. A /20 of pods holds 4,094 addresses, a /20 of services
# as many.
MAX_INSTANCES = 64
VETH_BLOCK = IPv4Network("10.213.0.0/24")
POD_BLOCK = IPv4Network("10.128.0.0/14")
SERVICE_BLOCK = IPv4Network("10.132.0.0/14")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The address ranges of one instance; `index` is unique on this machine."""

    index: int

    def __post_init__(self) -> None:
        """Refuse an index whose ranges would leave the blocks."""
        if not 0 <= self.index < MAX_INSTANCES:
            raise AllocationError(f"instance index {self.index} is outside 0..{MAX_INSTANCES - 1}")

    @property
    def veth(self) -> IPv4Network:
        """The /30 between host and network namespace."""
        return _nth(VETH_BLOCK, 30, self.index)

    @property
    def host(self) -> IPv4Interface:
        """The host's end of the veth pair: where backing services listen for pods."""
        return IPv4Interface((self.veth[1], 30))

    @property
    def node(self) -> IPv4Interface:
        """The namespace's end: the node's address."""
        return IPv4Interface((self.veth[2], 30))

    @property
    def pods(self) -> IPv4Network:
        """Range of the pods' addresses."""
        return _nth(POD_BLOCK, 20, self.index)

    @property
    def services(self) -> IPv4Network:
        """Range of the Services' cluster addresses."""
        return _nth(SERVICE_BLOCK, 20, self.index)

    @property
    def dns(self) -> IPv4Address:
        """The cluster DNS Service's fixed address."""
        return self.services[10]


@dataclass(frozen=True, slots=True)
class Instance:
    """One named platform: where its state lies, which ports and addresses are its own."""

    name: str
    state_dir: Path
    cache_dir: Path
    index: int
    ports: dict[str, int]

    @property
    def addresses(self) -> Addresses:
        """The address ranges of this instance."""
        return Addresses(self.index)

    @property
    def netns(self) -> str:
        """Name of the network namespace."""
        return f"vivero-{self.name}"

    @property
    def netns_path(self) -> Path:
        """File that `nsenter --net=` takes."""
        return Path("/var/run/netns") / self.netns

    @property
    def veth_host(self) -> str:
        """Host-side interface name; at most 15 bytes, hence by index."""
        return f"vivero{self.index}h"

    @property
    def veth_node(self) -> str:
        """Namespace-side interface name."""
        return f"vivero{self.index}n"

    @property
    def cgroup(self) -> str:
        """Root of every cgroup of the instance, without leading slash."""
        return f"vivero-{self.name}"

    def folder(self, *parts: str) -> Path:
        """A folder below the state folder, made on demand with owner-only parents."""
        path = self.state_dir.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def log_dir(self) -> Path:
        """Logs of the supervised processes."""
        return self.folder("logs")

    @property
    def run_dir(self) -> Path:
        """Pid files and sockets."""
        return self.folder("run")

    @property
    def secrets_dir(self) -> Path:
        """Generated passwords and keys, files of mode 0600."""
        path = self.folder("secrets")
        path.chmod(0o700)
        return path

    @property
    def certificates_dir(self) -> Path:
        """The local certificate authority and what it signed."""
        return self.folder("certificates")

    @property
    def kubeconfig(self) -> Path:
        """Administrator's kubeconfig, reachable from the host."""
        return self.state_dir / "kubeconfig"

    @property
    def public_url(self) -> str:
        """Address of the control plane."""
        return f"https://vivero.localhost:{self.ports['https']}"

    @property
    def account_url(self) -> str:
        """Where the owner of a workspace buys a plan."""
        return f"{self.public_url}/account"

    @property
    def webhook_url(self) -> str:
        """Where the payment provider tells of changes."""
        return f"{self.public_url}/api/v1/billing/events"

    def tenant_url(self, slug: str) -> str:
        """Address of a tenant's workspace."""
        return f"https://{slug}.vivero.localhost:{self.ports['https']}"


def validated_name(name: str) -> str:
    if not NAME_PATTERN.fullmatch(name):
        raise BadNameError(
            f"{name!r} is no instance name: 2 to 24 lower-case letters, digits and inner hyphens, a letter first"
        )
    return name


def state_root() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "vivero"


def cache_root() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vivero"


def open_instance(name: str) -> Instance:
    """The instance of that name, allocated and persisted on first use."""
    validated_name(name)
    with allocation_lock():
        found = load_instance(name)
        return _with_every_port(found) if found else _allocate(name)


def load_instance(name: str) -> Instance | None:
    """The instance of that name if it was ever allocated."""
    file = state_root() / validated_name(name) / "instance.json"
    if not file.exists():
        return None
    stored = json.loads(file.read_text())
    return Instance(name, file.parent, cache_root(), int(stored["index"]), dict(stored["ports"]))


def list_instances() -> list[Instance]:
    files = sorted(state_root().glob("*/instance.json"))
    return [found for file in files if (found := load_instance(file.parent.name))]


def forget_instance(instance: Instance) -> None:
    """Delete the instance's state and give its ports and ranges back."""
    with allocation_lock():
        shutil.rmtree(instance.state_dir, ignore_errors=False)


@contextmanager
def allocation_lock() -> Iterator[None]:
    """One allocation at a time on this machine and account."""
    state_root().mkdir(parents=True, exist_ok=True)
    with (state_root() / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _allocate(name: str) -> Instance:
    index = _free_index({other.index for other in list_instances()}, _ranges_in_use())
    instance = Instance(name, state_root() / name, cache_root(), index, _free_ports(name, list(PREFERRED_PORTS)))
    instance.state_dir.mkdir(parents=True, exist_ok=True)
    _store(instance)
    return instance


def _with_every_port(instance: Instance) -> Instance:
    """The same instance with ports for services that it was made without."""
    missing = [service for service in PREFERRED_PORTS if service not in instance.ports]
    if not missing:
        return instance
    completed = replace(instance, ports=instance.ports | _free_ports(instance.name, missing))
    _store(completed)
    return completed


def _free_ports(name: str, services: list[str]) -> dict[str, int]:
    """For an instance of this name; no instance has them."""
    wishes = {service: PREFERRED_PORTS[service] if name == DEFAULT_NAME else None for service in services}
    return choose_ports(wishes, {port for one in list_instances() for port in one.ports.values()}, port_is_free)


def _store(instance: Instance) -> None:
    file = instance.state_dir / "instance.json"
    draft = file.with_suffix(".tmp")
    stored = {key: value for key, value in asdict(instance).items() if key in {"index", "ports"}}
    draft.write_text(json.dumps(stored, indent=2) + "\n")
    draft.replace(file)


def choose_ports(
    preferred: Mapping[str, int | None], taken: set[int], is_free: Callable[[int], bool]
) -> dict[str, int]:
    """A port for each name: the preferred one if it is free, else the next free one."""
    chosen: dict[str, int] = {}
    fallback = iter(FALLBACK_PORTS)
    for name, wish in preferred.items():
        mine = taken | set(chosen.values())
        if wish is not None and wish not in mine and is_free(wish):
            chosen[name] = wish
            continue
        port = next((port for port in fallback if port not in mine and is_free(port)), None)
        if port is None:
            raise AllocationError(f"no free port for {name} between {FALLBACK_PORTS.start} and {FALLBACK_PORTS.stop}")
        chosen[name] = port
    return chosen


def port_is_free(port: int) -> bool:
    """Whether nothing listens on that port on any address of this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104  asks for every address; never listens
        except OSError:
            return False
    return True


def _nth(block: IPv4Network, prefix: int, index: int) -> IPv4Network:
    step = 1 << (32 - prefix)
    return IPv4Network((int(block.network_address) + index * step, prefix))


def _free_index(taken: set[int], in_use: list[IPv4Network]) -> int:
    for index in range(MAX_INSTANCES):
        ranges = Addresses(index)
        mine = (ranges.veth, ranges.pods, ranges.services)
        if index not in taken and not any(own.overlaps(other) for own in mine for other in in_use):
            return index
    raise AllocationError(f"all {MAX_INSTANCES} address ranges are taken; remove an instance with ./vivero reset")


def _ranges_in_use() -> list[IPv4Network]:
    """Networks this host already routes, so that no range of ours shadows one."""
    if shutil.which("ip") is None:
        return []
    shown = run("routes", ["ip", "-json", "-4", "route"], timeout=10)
    destinations = [route["dst"] for route in json.loads(shown or "[]")]
    return [IPv4Network(text) for text in destinations if text != "default"]
