"""The Compose project of an instance: its files, its variables, its containers."""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivero_dev.backing import mariadb, tls_proxy, valkey
from vivero_dev.backing.accounts import accounts_of
from vivero_dev.certificates import Authority
from vivero_dev.commands import PULL_STALL_SECONDS, run, run_long
from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance
from vivero_dev.native.services.base import backing_certificate
from vivero_dev.platform.backing import CLUSTER_PORTS, Endpoint
from vivero_dev.platform.credentials import payment_secrets
from vivero_dev.secret_store import SecretStore

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "dev" / "docker" / "compose.yaml"
NETWORK = "kind"
CALL_SECONDS = 60.0
# Of each service, at the end of the log of an `up` that failed.
LOG_LINES = 7
# Where containers see certificates, and Valkey its data.
TLS = "/tls"
VALKEY_DATA = "/data"
MARIADB_KEYS = "/etc/mysql/encryption-keys"


@dataclass(frozen=True, slots=True)
class Compose:
    """Calls `docker compose` for one instance."""

    instance: Instance

    @property
    def project(self) -> str:
        """Name of the Compose project."""
        return f"vivero-{self.instance.name}"

    @property
    def folder(self) -> Path:
        """Folder with files that are mounted into containers; only its owner may enter it on this machine."""
        path = self.instance.folder("compose")
        path.chmod(0o700)
        return path

    def up(self, log: Path) -> None:
        self.write_files()
        words = self._command("up", "--detach", "--build", "--wait")
        try:
            run_long("compose", words, **self._context(), log=log, stall_timeout=PULL_STALL_SECONDS)
        except ComponentError:
            # Compose reports which container failed, only its log says why.
            with suppress(ComponentError):
                run("compose", self._command("logs", f"--tail={LOG_LINES}"), **self._context(), log=log)
            raise

    def down(self, log: Path, *, volumes: bool) -> None:
        words = self._command("down", "--remove-orphans", *(("--volumes",) if volumes else ()))
        run("compose", words, **self._context(), log=log, timeout=CALL_SECONDS)

    def containers(self) -> list[str]:
        """Ids of the project's containers, stopped ones included."""
        return run("compose", self._command("ps", "--all", "--quiet"), **self._context()).split()

    def endpoints(self) -> dict[str, Endpoint]:
        """Addresses in kind's network, where the containers listen on their usual ports."""
        return {name: Endpoint(self._address(name), port) for name, port in CLUSTER_PORTS.items()}

    def write_files(self) -> None:
        """Write configuration, accounts and certificates, readable by the containers' various users."""
        secrets = SecretStore(self.instance.secrets_dir)
        accounts = accounts_of(secrets)
        authority = Authority(self.instance.certificates_dir)
        pair = backing_certificate(authority, self.instance)
        statements = mariadb.account_statements(accounts, ["%"])
        files = {
            "mariadb/vivero.cnf": mariadb.options(TLS) + mariadb.encryption(MARIADB_KEYS),
            "mariadb/encryption-keys": mariadb.key_file(secrets),
            "mariadb/accounts.sql": "".join(f"{statement};\n" for statement in statements),
            "valkey/valkey.conf": valkey.configuration(
                folder=TLS,
                data=VALKEY_DATA,
                port=CLUSTER_PORTS["valkey"],
                addresses=["0.0.0.0"],  # noqa: S104  its own container
            ),
            "valkey/users.acl": valkey.acl_file(accounts),
            **{f"payments/{name}": value for name, value in payment_secrets(secrets).items()},
            "s3/envoy.json": json.dumps(self._s3_tls_proxy(), indent=2) + "\n",
        }
        for name, content in files.items():
            file = self.folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(content)
            file.chmod(0o644)
        tls = self.folder / "tls"
        tls.mkdir(exist_ok=True)
        for source, target in ((pair.certificate, "tls.crt"), (pair.key, "tls.key"), (authority.certificate, "ca.crt")):
            shutil.copyfile(source, tls / target)
            (tls / target).chmod(0o644)

    def environment(self) -> dict[str, str]:
        """Every variable that compose.yaml names."""
        admin = accounts_of(SecretStore(self.instance.secrets_dir)).s3_admin
        ports = {f"VIVERO_PORT_{name.upper()}": str(port) for name, port in self.instance.ports.items()}
        return ports | {
            "VIVERO_PROJECT": self.project,
            "VIVERO_STATE": str(self.folder),
            "VIVERO_WEBHOOK_URL": self.instance.webhook_url,
            "VIVERO_S3_ACCESS_KEY": admin.username,
            "VIVERO_S3_SECRET_KEY": admin.password,
        }

    @staticmethod
    def _s3_tls_proxy() -> dict[str, Any]:
        port = CLUSTER_PORTS["s3"]
        listen = [tls_proxy.socket("0.0.0.0", port)]  # noqa: S104  its own container
        return tls_proxy.configuration(listen=listen, server=tls_proxy.socket("versitygw", port), folder=TLS)

    def _address(self, service: str) -> str:
        found = run("compose", self._command("ps", "--quiet", service), **self._context()).split()
        if not found:
            raise ComponentError(f"container {service}", "is not running")
        inspected = run("docker", ["docker", "inspect", found[0]], timeout=CALL_SECONDS)
        networks: dict[str, Any] = json.loads(inspected)[0]["NetworkSettings"]["Networks"]
        return str(networks[NETWORK]["IPAddress"])

    def _command(self, *arguments: str) -> list[str | Path]:
        return ["docker", "compose", f"--file={FILE}", *arguments]

    def _context(self) -> dict[str, Any]:
        return {"environment": self.environment(), "cwd": FILE.parent}
