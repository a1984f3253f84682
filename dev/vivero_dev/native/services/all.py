"""The four backing services of an instance together."""

from collections.abc import Sequence
from dataclasses import dataclass

from vivero_dev.health import Health
from vivero_dev.instance import Instance
from vivero_dev.native.services import mariadb, object_store, valkey
from vivero_dev.native.services.base import Service, ServiceHost
from vivero_dev.native.services.mail import MailSink
from vivero_dev.native.services.mariadb import MariaDB
from vivero_dev.native.services.object_store import ObjectStore
from vivero_dev.native.services.valkey import Valkey
from vivero_dev.native.tools import program
from vivero_dev.platform.backing import Endpoint
from vivero_dev.platform.credentials import Account, Accounts


@dataclass(frozen=True, slots=True)
class Services:
    """One object a service, made for the addresses the instance has now."""

    host: ServiceHost
    mariadb: MariaDB
    valkey: Valkey
    s3: ObjectStore
    mail: MailSink

    @classmethod
    def of(cls, instance: Instance) -> "Services":
        host = ServiceHost.of(instance)
        store = ObjectStore(host, program(instance.cache_dir, "versitygw"))
        return cls(host, MariaDB(host), Valkey(host), store, MailSink(host))

    def each(self) -> Sequence[Service]:
        return (self.mariadb, self.valkey, self.s3, self.mail)

    def health(self) -> list[Health]:
        return [service.health() for service in self.each()]

    def accounts(self) -> Accounts:
        return Accounts(
            mariadb_admin=Account(mariadb.ADMIN, self.mariadb.admin_password),
            valkey_admin=Account(valkey.ADMIN, self.valkey.admin_password),
            s3_admin=Account(object_store.ACCESS_KEY, self.s3.secret_key),
            control_plane_database=Account(mariadb.CONTROL_PLANE, self.mariadb.control_plane_password),
            control_plane_cache=Account(valkey.CONTROL_PLANE, self.valkey.control_plane_password),
        )

    def endpoints(self) -> dict[str, Endpoint]:
        """Pods reach the services at the host's end of the veth pair."""
        address = str(self.host.instance.addresses.host.ip)
        ports = {service.name: service.port for service in (self.mariadb, self.valkey, self.s3, self.mail)}
        return {name: Endpoint(address, port) for name, port in ports.items()}
