"""Addresses of the backing services on this machine, and their health checks."""

from dataclasses import dataclass
from pathlib import Path

from vivero_dev.backing import mail, mariadb, object_store, payments, valkey
from vivero_dev.backing.accounts import Accounts
from vivero_dev.health import Health
from vivero_dev.instance import Instance


@dataclass(frozen=True, slots=True)
class BackingAddresses:
    """Ports and addresses on 127.0.0.1."""

    mariadb_port: int
    valkey_port: int
    s3_endpoint: str
    mail_url: str
    payments_url: str

    @classmethod
    def of(cls, instance: Instance) -> "BackingAddresses":
        ports = instance.ports
        return cls(
            mariadb_port=ports["mariadb"],
            valkey_port=ports["valkey"],
            s3_endpoint=f"https://127.0.0.1:{ports['s3']}",
            mail_url=f"https://127.0.0.1:{ports['mail']}",
            payments_url=f"https://127.0.0.1:{ports['payments']}",
        )

    def health(self, accounts: Accounts, authority: Path) -> list[Health]:
        """Health of each of the services, checked as its administrator."""
        return [
            mariadb.health(self.mariadb_port, accounts.mariadb_admin, authority),
            valkey.health(self.valkey_port, accounts.valkey_admin, authority),
            object_store.health(self.s3_endpoint, accounts.s3_admin, authority),
            mail.health(self.mail_url, authority),
            payments.health(self.payments_url, authority),
        ]
