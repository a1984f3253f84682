"""What the operator tells the program of a TenantBackup. Pure: the operator itself loads no client for it."""

import json
from dataclasses import asdict, dataclass, field
from typing import Final, Self

PROGRAM: Final = "backup"
STEPS: Final = ("files", "dump", "verify")
ORDER_FILE, CLIENT_FILE = "order.json", "client.cnf"


@dataclass(frozen=True)
class Account:
    """A bucket, and who opens it."""

    endpoint: str
    region: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Order:
    """What is to be backed up."""

    tenant: str
    """The tenant's id."""
    uid: str
    """Of the TenantBackup."""
    schemas: tuple[str, ...]
    storage: Account
    file_key: str = field(repr=False)
    """64 hexadecimal digits."""

    @property
    def prefix(self) -> str:
        return f"{self.tenant}/backups/{self.uid}"

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        known = json.loads(text)
        return cls(**known | {"schemas": tuple(known["schemas"]), "storage": Account(**known["storage"])})


def option_file(login: str, password: str, host: str, port: int) -> str:
    """How mariadb-dump reaches the server; `ca.crt` is beside it."""
    lines = {"user": login, "password": password, "host": host, "port": str(port), "ssl-ca": "/run/operation/ca.crt"}
    return "[client]\nssl-verify-server-cert\n" + "".join(f'{name}="{value}"\n' for name, value in lines.items())
