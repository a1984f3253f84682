"""What the backing services share: where they run, as whom, and with which certificate."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vivero_dev.certificates import Authority, KeyPair
from vivero_dev.health import Health
from vivero_dev.instance import Instance
from vivero_dev.processes import ProcessTable, User
from vivero_dev.secret_store import SecretStore
from vivero_dev.steps import Say

LOOPBACK = "127.0.0.1"
BACKING_NAMESPACE = "vivero-backing"
# Inside its mount namespace a service sees its own folder here: root's home,
# where the state may lie, is closed to the numbers the services run as.
VIEW = Path("/mnt")
# Numbers for services of no account, inside the range that systemd sets aside
# for such users (61184 to 65519).
FIRST_UID = 61900


class Service(Protocol):
    """One backing service."""

    name: str

    def ensure(self, say: Say) -> str: ...

    def health(self) -> Health: ...


@dataclass(frozen=True, slots=True)
class ServiceHost:
    """The instance a service runs for, and the addresses it listens on."""

    instance: Instance
    processes: ProcessTable
    authority: Authority
    secrets: SecretStore
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, instance: Instance) -> "ServiceHost":
        """Services listen for people on loopback and, once the veth pair is up, for pods on its host end."""
        addresses = (LOOPBACK, str(instance.addresses.host.ip)) if _has_interface(instance.veth_host) else (LOOPBACK,)
        return cls(
            instance,
            ProcessTable(instance),
            Authority(instance.certificates_dir),
            SecretStore(instance.secrets_dir),
            addresses,
        )

    def certificate(self) -> KeyPair:
        """One certificate for all backing services, under every name they are called by."""
        return self.authority.issue(
            "backing",
            [
                LOOPBACK,
                "localhost",
                str(self.instance.addresses.host.ip),
                f"*.{BACKING_NAMESPACE}.svc",
                f"*.{BACKING_NAMESPACE}.svc.cluster.local",
            ],
        )

    def own_folder(self, name: str, user: User) -> Path:
        """The service's folder with `data`, `run` and its copy of the certificate, owned by `user`."""
        folder = self.instance.folder(name)
        pair = self.certificate()
        for source, target in (
            (pair.certificate, "tls.crt"),
            (pair.key, "tls.key"),
            (self.authority.certificate, "ca.crt"),
        ):
            shutil.copyfile(source, folder / target)
        (folder / "tls.key").chmod(0o600)
        for part in ("data", "run"):
            (folder / part).mkdir(mode=0o700, exist_ok=True)
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.uid, user.gid)
        return folder


def _has_interface(name: str) -> bool:
    return Path("/sys/class/net", name).exists()
