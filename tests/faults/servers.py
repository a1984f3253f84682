"""The backing servers, past all proxies."""

from dataclasses import dataclass

from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin


@dataclass(frozen=True)
class Servers:
    """Their administrators."""

    database: MariaDbAdmin
    storage: VersityStorageAdmin
    cache: ValkeyAdmin
