"""What the operator tells the programs of operations. Pure: the operator loads no client for it."""

from dataclasses import dataclass, field
from typing import Any, Final, Self

from pydantic import TypeAdapter
from vivero_core.backends.mariadb.program import Others

ORDER_FILE: Final = "order.json"
CLIENT_FILE: Final = "client.cnf"
LEDGER: Final = "erasures/"
"""What the keys of receipts in the backup bucket begin with; no id of a tenant does."""
FOLDER: Final = "/run/operation"
"""Where the files are mounted."""


@dataclass(frozen=True)
class Program:
    """What an operation's Job runs: a module of this package, and its steps."""

    name: str
    steps: tuple[str, ...]
    scratch: str = "256Mi"
    """Room on the node's disk for what one step leaves to the next, at most; what is not used takes nothing."""
    kept_seconds: int | None = None
    """How long its Job, with its pods and their logs, is kept once it has ended; None: as long as its object."""


BACKUP: Final = Program("backup", ("files", "dump", "verify"))
EXPIRE: Final = Program("expire", ("expire",))
RESTORE: Final = Program("restore", ("database", "files", "verify"))
ERASE: Final = Program("erase", ("log", "objects", "receipt"))
# The log and the tenant's data lie on the node's disk while they are replayed.
MOMENT: Final = Program("moment", ("log", "database", "files", "verify"), scratch="64Gi")
# Each tenant has one most of the time: a thousand pods that have ended would help nobody.
PROOF: Final = Program("proof", ("live", "log", "compare"), scratch="64Gi", kept_seconds=3 * 86_400)


@dataclass(frozen=True)
class Account:
    """A bucket, and who opens it."""

    endpoint: str
    region: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Login:
    """A database user, and where its server is."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    def option_file(self) -> str:
        """How mariadb-dump reaches the server; `ca.crt` is beside it."""
        said = {"user": self.user, "password": self.password, "host": self.host, "port": str(self.port)}
        said["ssl-ca"] = f"{FOLDER}/ca.crt"
        return "[client]\nssl-verify-server-cert\n" + "".join(f'{name}="{value}"\n' for name, value in said.items())


class _Order:
    """A dataclass that travels as JSON."""

    def dump(self) -> str:
        return TypeAdapter(type(self)).dump_json(self).decode()

    @classmethod
    def load(cls, text: str) -> Self:
        return TypeAdapter(cls).validate_json(text)


@dataclass(frozen=True)
class Former:
    """A backup that is complete."""

    name: str
    uid: str
    """Of the TenantBackup."""


@dataclass(frozen=True)
class BackupOrder(_Order):
    """What is to be backed up."""

    tenant: str
    """The tenant's id."""
    uid: str
    """Of the TenantBackup."""
    schemas: tuple[str, ...]
    logged: bool
    """Whether the server has a binary log, whose position belongs to the backup."""
    storage: Account | None
    """None for the control plane, which has no files."""
    file_key: str = field(repr=False)
    """64 hexadecimal digits."""
    former: Former | None = None
    """If the data is the same as in this one, nothing is to be written."""
    others: Others = field(default_factory=Others)
    """What of its schema the tenant cannot read."""


@dataclass(frozen=True)
class ExpiryOrder(_Order):
    """What is to be removed of a tenant's backups and log."""

    tenant: str
    """The tenant's id."""
    server: str | None
    """UID of the DatabaseServer whose log is archived; None where none is."""
    uids: tuple[str, ...]
    """Of TenantBackups that have expired."""
    at: int
    """Unix seconds: when this was decided."""
    window_begins: int
    """Unix seconds: the earliest second that is to stay within reach of the log."""
    file_key: str = field(repr=False)
    """64 hexadecimal digits."""
    kept: tuple[str, ...] = ()
    """Of TenantBackups that stay: each has to be read before a copy of a file is removed."""


@dataclass(frozen=True)
class Target:
    """What is filled: a new tenant, or a schema beside the live one."""

    schemas: dict[str, str]
    """A schema of the tenant that is brought back, and the one that it is loaded into."""
    audit: str
    """The audit log of whoever is filled: rows are added to it, and nothing else."""
    database: Login
    """Who may fill it."""
    storage: Account | None
    """The bucket that the files are to be in; None for the control plane, which has none."""
    file_key: str = field(repr=False)
    """That they are sealed with there: 64 hexadecimal digits."""
    left_out: tuple[str, ...] = ()
    """Schemas of the tenant that are not loaded."""


@dataclass(frozen=True)
class RestoreOrder(_Order):
    """Which backup is to be loaded, and where."""

    tenant: str
    """Id of the tenant that was backed up."""
    uid: str
    """Of the TenantBackup."""
    target: Target
    file_key: str = field(repr=False)
    """Of what is brought back: 64 hexadecimal digits."""


@dataclass(frozen=True)
class MomentOrder(_Order):
    """Which second is to be brought back, and where."""

    tenant: str
    """Id of the tenant that is brought back."""
    server: str
    """UID of the DatabaseServer whose log it is."""
    until: int | None
    """Unix seconds; None: the last second that is archived."""
    source: Account | None
    """The bucket of the tenant that is brought back; None for the control plane."""
    target: Target
    file_key: str = field(repr=False)
    """Of what is brought back: 64 hexadecimal digits."""


@dataclass(frozen=True)
class ProofOrder(_Order):
    """Whose archive is to be compared with the live data."""

    tenant: str
    """The tenant's id."""
    uid: str
    """Of the TenantProof: chooses the base, and the files whose contents are compared."""
    server: str
    """UID of the DatabaseServer whose log it is."""
    schemas: tuple[str, ...]
    """The first one is that which names files."""
    source: Account | None
    """The tenant's own bucket; None for the control plane, which has no files."""
    file_key: str = field(repr=False)
    """64 hexadecimal digits."""
    others: Others = field(default_factory=Others)
    """What of its schema the tenant cannot read."""


@dataclass(frozen=True)
class EraseOrder(_Order):
    """Whose objects are to be removed from the backup bucket, and what the receipt says of the rest."""

    tenant: str
    """The tenant's id."""
    uid: str
    """Of the TenantErasure."""
    server: str | None
    """UID of the DatabaseServer whose archived log has to have passed the erasure."""
    after: int
    """Unix seconds: when the erasure was done."""
    receipt: dict[str, Any]
    """What was erased before."""
