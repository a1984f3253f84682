"""The platform's accounts at its backing services; passwords come from the instance's secret store."""

from dataclasses import dataclass

from vivero_dev.secret_store import SecretStore

# Users of MariaDB, of Valkey and of the S3 server; the control plane's schema has its user's name.
MARIADB_ADMIN = "vivero_admin"
MARIADB_ARCHIVER = "vivero_archiver"
MARIADB_CONTROL_PLANE = "vivero_control"
VALKEY_ADMIN = "vivero-admin"
VALKEY_CONTROL_PLANE = "vivero-control"
S3_ADMIN = "vivero-admin"
S3_BACKUP = "vivero-backup"


@dataclass(frozen=True, slots=True)
class Account:
    """A name and its password."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts of the platform itself."""

    mariadb_admin: Account
    mariadb_archiver: Account
    """Reads the binary log, and nothing else."""
    valkey_admin: Account
    s3_admin: Account
    s3_backup: Account
    """Owns the bucket of the backups, and nothing else."""
    control_plane_database: Account
    control_plane_cache: Account


def accounts_of(secrets: SecretStore) -> Accounts:
    """The instance's accounts; passwords are generated on first use."""
    return Accounts(
        mariadb_admin=Account(MARIADB_ADMIN, secrets.get("mariadb-admin")),
        mariadb_archiver=Account(MARIADB_ARCHIVER, secrets.get("mariadb-archiver")),
        valkey_admin=Account(VALKEY_ADMIN, secrets.get("valkey-admin")),
        s3_admin=Account(S3_ADMIN, secrets.get("s3-admin")),
        s3_backup=Account(S3_BACKUP, secrets.get("s3-backup")),
        control_plane_database=Account(MARIADB_CONTROL_PLANE, secrets.get("control-plane-database")),
        control_plane_cache=Account(VALKEY_CONTROL_PLANE, secrets.get("control-plane-cache")),
    )
