"""What the backing services share: addresses, users and certificates."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vivero_dev.backing.accounts import Accounts, accounts_of
from vivero_dev.backing.addresses import BackingAddresses
from vivero_dev.certificates import Authority, KeyPair
from vivero_dev.instance import Instance
from vivero_dev.platform.names import BACKING
from vivero_dev.processes import ProcessSpec, ProcessTable, User
from vivero_dev.secret_store import SecretStore

LOOPBACK = "127.0.0.1"
# A service's folder is bind-mounted here in its mount namespace: root's home,
# where the state may be, is not accessible to the services' UIDs.
VIEW = Path("/mnt")
# UIDs without accounts, in the range that systemd reserves for dynamic users
# (61184 to 65519).
FIRST_UID = 61900
# Of our own programs among the services.
PACKAGE_ROOT = Path(__file__).resolve().parents[3]
# The interpreter and its packages may be in root's home, not accessible to other
# UIDs: these programs run as UID 0 but without any capability.
OWN_USER = User(0, 0)
READY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ServiceHost:
    """The instance a service runs for, and the addresses it listens on."""

    instance: Instance
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, instance: Instance) -> "ServiceHost":
        """Services listen on loopback and, once the veth pair is up, on its host end for pods."""
        addresses = (LOOPBACK, str(instance.addresses.host.ip)) if _has_interface(instance.veth_host) else (LOOPBACK,)
        return cls(instance, addresses)

    @property
    def processes(self) -> ProcessTable:
        """The instance's supervised processes."""
        return ProcessTable(self.instance)

    @property
    def authority(self) -> Authority:
        """The CA of the services' certificates."""
        return Authority(self.instance.certificates_dir)

    @property
    def accounts(self) -> Accounts:
        """The platform's accounts at the services."""
        return accounts_of(SecretStore(self.instance.secrets_dir))

    @property
    def reachable(self) -> BackingAddresses:
        """The services' addresses on this machine."""
        return BackingAddresses.of(self.instance)

    def certificate(self) -> KeyPair:
        return backing_certificate(self.authority, self.instance)

    def own_folder(self, name: str, user: User, *parts: str) -> Path:
        """The service's folder with `parts`, owned by `user`."""
        folder = self.instance.folder(name)
        for part in parts:
            (folder / part).mkdir(mode=0o700, exist_ok=True)
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.uid, user.gid)
        return folder

    def certified_folder(self, name: str, user: User, *parts: str) -> Path:
        """The same with a copy of the certificate, for a service that speaks TLS itself."""
        folder = self.instance.folder(name)
        pair = self.certificate()
        for source, target in (
            (pair.certificate, "tls.crt"),
            (pair.key, "tls.key"),
            (self.authority.certificate, "ca.crt"),
        ):
            shutil.copyfile(source, folder / target)
        (folder / "tls.key").chmod(0o600)
        return self.own_folder(name, user, *parts)


def serve_certified(host: ServiceHost, spec: ProcessSpec, ready: Callable[[], bool]) -> None:
    """Run a program that speaks TLS by the certificate in its folder, which it sees as VIEW; another one restarts it."""
    folder, pair = host.instance.folder(spec.name), host.certificate()
    host.processes.ensure(
        replace(
            spec,
            binds=[(folder, VIEW), *spec.binds],
            revision=spec.revision + pair.certificate.read_text(),
            ready=ready,
        )
    )


def serve_own(host: ServiceHost, name: str, folder: Path, arguments: Sequence[str], ready: Callable[[], bool]) -> None:
    """Run `vivero_dev.NAME`, a program of this package that speaks TLS and keeps its state in `folder`/data."""
    own = [
        *(f"--address={address}" for address in host.addresses),
        f"--folder={folder}/data",
        f"--certificate={folder}/tls.crt",
        f"--key={folder}/tls.key",
    ]
    run_own(host, name, [*own, *arguments], ready, host.certificate().certificate.read_text())


def run_own(host: ServiceHost, name: str, arguments: Sequence[str], ready: Callable[[], bool], revision: str) -> None:
    """Run `vivero_dev.NAME`, a program of this package; another `revision` of what it reads restarts it."""
    host.processes.ensure(
        ProcessSpec(
            name,
            [sys.executable, "-m", f"vivero_dev.{name}", *arguments],
            environment={"PYTHONPATH": str(PACKAGE_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            user=OWN_USER,
            revision=_source_revision(name) + revision,
            ready=ready,
            deadline=READY_SECONDS,
        )
    )


def backing_certificate(authority: Authority, instance: Instance) -> KeyPair:
    """One certificate for all backing services, with all their names."""
    names = [f"*.{BACKING}.svc", f"*.{BACKING}.svc.cluster.local"]
    return authority.issue("backing", [LOOPBACK, "localhost", str(instance.addresses.host.ip), *names])


def _source_revision(package: str) -> str:
    """The code of one of our own programs: a change restarts it."""
    return "".join(file.read_text() for file in sorted((PACKAGE_ROOT / "vivero_dev" / package).glob("*.py")))


def _has_interface(name: str) -> bool:
    return Path("/sys/class/net", name).exists()
