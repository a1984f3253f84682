"""Secrets and ConfigMaps that the charts require, created before their installation."""

from secrets import token_hex

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from vivero_core.envelope import public_key

from vivero_dev.backing.accounts import Account, Accounts
from vivero_dev.backing.backup_bucket import BUCKET
from vivero_dev.backing.object_store import REGION
from vivero_dev.certificates import Authority, KeyPair
from vivero_dev.platform.backing import CLUSTER_PORTS, backing_host
from vivero_dev.platform.kubectl import Object
from vivero_dev.platform.names import (
    AUTHORITY,
    BACKUP_STORAGE,
    CONTROL_PLANE_TLS,
    MARIADB_ARCHIVER,
    PAYMENT_PROVIDER,
    PLATFORM,
    SIGNUPS,
    TENANT_MAIL,
    WILDCARD_TLS,
)
from vivero_dev.secret_store import SecretStore

RECOVERY_KEY = "recovery-key"
"""File with its private half."""
PAYMENTS_KEY = "payments-secret-key"
PAYMENTS_SIGNING = "payments-webhook-secret"
"""Files with what the stand-in of the payment provider asks for, and signs with."""
ADMIN_EMAIL = "admin@vivero.localhost"
MAIL_SENDER = "Vivero <workspaces@vivero.localhost>"
# A certificate for both would have browsers ask for a workspace on a connection to the control plane.
CERTIFIED = {CONTROL_PLANE_TLS: "vivero.localhost", WILDCARD_TLS: "*.vivero.localhost"}


def namespaces() -> list[Object]:
    """The platform's own, with the strictest pod security."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        for name in (PLATFORM, SIGNUPS)
    ]


def platform_objects(accounts: Accounts, authority: Authority, secrets: SecretStore) -> list[Object]:
    """The Secrets and ConfigMaps that the parts share, in the namespaces of `namespaces()`."""
    certified = {name: authority.issue(name, [host]) for name, host in CERTIFIED.items()}
    private = ticket_key(secrets)
    return [
        _config_map(AUTHORITY, {"ca.crt": authority.certificate.read_text()}),
        _config_map("ticket-public-key", {"ticket.pub": public_half(private)}),
        _secret("mariadb-admin", _login(accounts.mariadb_admin)),
        _secret(MARIADB_ARCHIVER, _login(accounts.mariadb_archiver)),
        _secret("valkey-admin", _login(accounts.valkey_admin)),
        _secret(
            "s3-admin",
            {"access_key": accounts.s3_admin.username, "secret_key": accounts.s3_admin.password},
        ),
        _secret(
            BACKUP_STORAGE,
            {
                "endpoint": f"https://{backing_host('s3')}:{CLUSTER_PORTS['s3']}",
                "region": REGION,
                "bucket": BUCKET,
                "access_key": accounts.s3_backup.username,
                "secret_key": accounts.s3_backup.password,
            },
        ),
        _secret("control-plane-database", _login(accounts.control_plane_database)),
        _secret("control-plane-cache", _login(accounts.control_plane_cache)),
        _secret(
            "control-plane-app",
            {
                "session_key": secrets.get("session-key"),
                "ticket_private_key": private,
                "admin_email": ADMIN_EMAIL,
                "admin_password": admin_password(secrets),
            },
        ),
        _secret(TENANT_MAIL, {"host": backing_host("mail"), "port": str(CLUSTER_PORTS["mail"]), "sender": MAIL_SENDER}),
        _secret(PAYMENT_PROVIDER, payment_secrets(secrets)),
        *(_tls_secret(name, pair) for name, pair in certified.items()),
    ]


def certificate_delegation() -> Object:
    """Lets Contour serve the wildcard certificate for Ingresses of every tenant's namespace."""
    return {
        "apiVersion": "projectcontour.io/v1",
        "kind": "TLSCertificateDelegation",
        "metadata": {"name": WILDCARD_TLS, "namespace": PLATFORM},
        "spec": {"delegations": [{"secretName": WILDCARD_TLS, "targetNamespaces": ["*"]}]},
    }


def admin_password(secrets: SecretStore) -> str:
    """Password of the first staff member; short enough to type, 80 bits."""
    return secrets.get("admin-password", lambda: f"Staff-{token_hex(10)}")


def payment_secrets(secrets: SecretStore) -> dict[str, str]:
    """What control plane and payment provider know of each other."""
    return {"secret_key": secrets.get(PAYMENTS_KEY), "webhook_secret": secrets.get(PAYMENTS_SIGNING)}


def ticket_key(secrets: SecretStore) -> str:
    """The control plane's signing key for login tickets, PEM."""
    return secrets.get("ticket-private-key", _new_ticket_key)


def public_half(private: str) -> str:
    key = serialization.load_pem_private_key(private.encode(), password=None)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public.decode()


def recovery_key(secrets: SecretStore) -> str:
    """The public half of the recovery key; the private one stays in the folder of secrets, and nothing of the platform has it."""
    return public_key(bytes.fromhex(secrets.get(RECOVERY_KEY))).hex()


def _new_ticket_key() -> str:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


def _login(account: Account) -> dict[str, str]:
    return {"username": account.username, "password": account.password}


def _config_map(name: str, data: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": PLATFORM},
        "data": data,
    }


def _secret(name: str, data: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": PLATFORM},
        "type": "Opaque",
        "stringData": data,
    }


def _tls_secret(name: str, pair: KeyPair) -> Object:
    secret = _secret(name, {"tls.crt": pair.certificate.read_text(), "tls.key": pair.key.read_text()})
    return secret | {"type": "kubernetes.io/tls"}
