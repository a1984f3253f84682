"""Valkey with TLS alone, an ACL file, and no default user."""

import hashlib
import os
from pathlib import Path

import valkey as valkey_client

from vivero_dev.debian import BACKPORTS, extracted
from vivero_dev.health import Health
from vivero_dev.native.services.base import FIRST_UID, LOOPBACK, VIEW, ServiceHost
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

USER = User(FIRST_UID + 2, FIRST_UID + 2)
ADMIN = "vivero-admin"
CONTROL_PLANE = "vivero-control"
READY_SECONDS = 20.0

CONFIGURATION = """\
port 0
tls-port {port}
bind {addresses}
tls-cert-file {view}/tls.crt
tls-key-file {view}/tls.key
tls-ca-cert-file {view}/ca.crt
tls-auth-clients no
tls-protocols TLSv1.3
aclfile {view}/users.acl
dir {view}/data
appendonly yes
# What a crash may lose is one second of cache and queue wake-ups; rows come first.
appendfsync everysec
maxmemory 256mb
maxmemory-policy noeviction
daemonize no
logfile ""
"""

# A key pattern does not bind the commands that walk or empty the whole key
# space, so those are taken away by name. The queue library writes under `saq:`.
CONTROL_PLANE_RULES = (
    "~control:* ~saq:* &control:* &saq:* +@all -@admin -@dangerous"
    " -scan -randomkey -dbsize +info +client|setname +client|setinfo +client|id"
)


class Valkey:
    """The cache and queue server of an instance."""

    name = "valkey"

    def __init__(self, host: ServiceHost) -> None:
        self._host = host
        self.port = host.instance.ports["valkey"]

    @property
    def admin_password(self) -> str:
        """Password of ADMIN, who may do everything."""
        return self._host.secrets.get("valkey-admin")

    @property
    def control_plane_password(self) -> str:
        """Password of CONTROL_PLANE, bound to its key prefixes."""
        return self._host.secrets.get("control-plane-cache")

    @property
    def url(self) -> str:
        """The administrator's address with credentials."""
        return f"valkeys://{ADMIN}:{self.admin_password}@{LOOPBACK}:{self.port}"

    def ensure(self, say: Say) -> str:
        say("fetching the program")
        program = extracted(self._host.instance.cache_dir, "valkey-tools", BACKPORTS) / "usr/bin/valkey-check-rdb"
        folder = self._host.own_folder(self.name, USER)
        configuration = CONFIGURATION.format(view=VIEW, port=self.port, addresses=" ".join(self._host.addresses))
        (folder / "valkey.conf").write_text(configuration)
        self._ensure_acl_file(folder)
        (folder / "valkey-server").touch()
        say("starting")
        self._host.processes.ensure(
            ProcessSpec(
                self.name,
                [f"{VIEW}/valkey-server", f"{VIEW}/valkey.conf"],
                user=USER,
                # One program under several names; it serves under this one.
                binds=[(folder, VIEW), (program, VIEW / "valkey-server")],
                revision=configuration + self._host.certificate().certificate.read_text(),
                ready=lambda: self.health().ok,
                deadline=READY_SECONDS,
            )
        )
        return f"127.0.0.1:{self.port}"

    def health(self) -> Health:
        try:
            with self.client() as client:
                version = client.info("server")["valkey_version"]
        except (valkey_client.ValkeyError, OSError) as error:
            return Health(self.name, ok=False, message=str(error))
        return Health(self.name, ok=True, message=f"{version} at 127.0.0.1:{self.port}")

    def client(self) -> valkey_client.Valkey:
        """The administrator's client; close it after use."""
        return valkey_client.Valkey(
            host=LOOPBACK,
            port=self.port,
            username=ADMIN,
            password=self.admin_password,
            ssl=True,
            ssl_ca_certs=str(self._host.authority.certificate),
            socket_timeout=5,
            socket_connect_timeout=5,
        )

    def _ensure_acl_file(self, folder: Path) -> None:
        """Written once: afterwards it is the server's, which saves the tenants' users into it."""
        file = folder / "users.acl"
        if file.exists():
            return
        draft = folder / "users.acl.new"
        draft.touch(mode=0o600)
        draft.write_text(
            "user default off resetchannels -@all\n"
            f"user {ADMIN} on #{_digest(self.admin_password)} ~* &* +@all\n"
            f"user {CONTROL_PLANE} on #{_digest(self.control_plane_password)} resetchannels {CONTROL_PLANE_RULES}\n"
        )
        os.chown(draft, USER.uid, USER.gid)
        draft.replace(file)


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
