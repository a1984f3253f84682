"""The current status of a platform: a table for people, JSON for programs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from vivero_dev.backing.accounts import accounts_of
from vivero_dev.backing.addresses import BackingAddresses
from vivero_dev.backing.backup_bucket import BUCKET
from vivero_dev.errors import ComponentError
from vivero_dev.health import Health
from vivero_dev.instance import Instance
from vivero_dev.localhost import local_client
from vivero_dev.observability.health import health
from vivero_dev.platform.credentials import ADMIN_EMAIL, PAYMENTS_KEY, RECOVERY_KEY, admin_password
from vivero_dev.platform.diagnose import deployment_reason
from vivero_dev.platform.kubectl import Kubectl, Object
from vivero_dev.platform.names import PLATFORM
from vivero_dev.platform.trial import Trial
from vivero_dev.provider import Provider
from vivero_dev.secret_store import SecretStore

LOOPBACK = "127.0.0.1"
# The status is a summary; `kubectl get vt` lists all.
MAX_NAMES = 5


@dataclass(frozen=True, slots=True)
class DemoFile:
    """The demo tenant of the first `up`, stored so that the next does not sign up again."""

    path: Path

    @classmethod
    def of(cls, instance: Instance) -> "DemoFile":
        return cls(instance.state_dir / "demo.json")

    def read(self) -> Trial | None:
        if not self.path.exists():
            return None
        return Trial(**json.loads(self.path.read_text()))

    def write(self, trial: Trial) -> None:
        draft = self.path.with_suffix(".tmp")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(trial), indent=2) + "\n")
        draft.replace(self.path)


def as_json(provider: Provider) -> dict[str, Any]:
    """The status document for scripts and tests; contains credentials of this platform."""
    instance = provider.instance
    secrets = SecretStore(instance.secrets_dir)
    accounts, addresses = accounts_of(secrets), BackingAddresses.of(instance)
    ca = str(instance.certificates_dir / "ca.crt")
    demo = DemoFile.of(instance).read()
    cache, watching = accounts.valkey_admin, provider.observability()
    return {
        "control_plane_url": instance.public_url,
        "admin": {"email": ADMIN_EMAIL, "password": admin_password(secrets)},
        "kubeconfig": str(instance.kubeconfig),
        "mariadb": {
            "host": LOOPBACK,
            "port": addresses.mariadb_port,
            "admin_user": accounts.mariadb_admin.username,
            "admin_password": accounts.mariadb_admin.password,
            "ca": ca,
        },
        "valkey": {
            "url": f"valkeys://{cache.username}:{cache.password}@{LOOPBACK}:{addresses.valkey_port}",
            "ca": ca,
        },
        "s3": {
            "endpoint": addresses.s3_endpoint,
            "access_key": accounts.s3_admin.username,
            "secret_key": accounts.s3_admin.password,
            "ca": ca,
        },
        "backup": {
            "endpoint": addresses.s3_endpoint,
            "bucket": BUCKET,
            "access_key": accounts.s3_backup.username,
            "secret_key": accounts.s3_backup.password,
            "ca": ca,
            "recovery_key_file": str(instance.secrets_dir / RECOVERY_KEY),
        },
        "mail": {"url": addresses.mail_url, "smtp_port": instance.ports["smtp"]},
        "payments": {"url": addresses.payments_url, "secret_key": secrets.get(PAYMENTS_KEY)},
        "prometheus": watching.get("prometheus"),
        "alertmanager": watching.get("alertmanager"),
        "jaeger": watching.get("jaeger"),
        "logs": watching.get("logs"),
        "ca": ca,
        "demo_tenant": demo and {"name": demo.name, "url": demo.url, "email": demo.email, "password": demo.password},
    }


def platform_health(provider: Provider) -> list[Health]:
    """Health of every part, from the backing services to the public page; each check has a short timeout."""
    instance = provider.instance
    accounts = accounts_of(SecretStore(instance.secrets_dir))
    found = BackingAddresses.of(instance).health(accounts, instance.certificates_dir / "ca.crt")
    try:
        found += _cluster_health(provider.kubectl())
    except ComponentError as error:
        found.append(Health("kubernetes", ok=False, message=error.reason.splitlines()[-1]))
    found.append(_ingress_health(instance))
    watching = provider.observability()
    return found + [health(name, url, instance.certificates_dir / "ca.crt") for name, url in watching.items()]


def _cluster_health(kubectl: Kubectl) -> list[Health]:
    nodes = kubectl.list("nodes")
    ready = [node["metadata"]["name"] for node in nodes if _holds(node, "Ready")]
    found = [
        Health("kubernetes", ok=bool(nodes) and len(ready) == len(nodes), message=f"{len(ready)} of {len(nodes)} nodes")
    ]
    for deployment in kubectl.list("deployments", PLATFORM):
        reason = deployment_reason(deployment)
        found.append(Health(deployment["metadata"]["name"], ok=reason is None, message=reason or "ready"))
    if kubectl.get("customresourcedefinition", "tenants.vivero.dev"):
        found.append(tenants_health(kubectl.list("tenants.vivero.dev")))
    return found


def tenants_health(tenants: list[Object]) -> Health:
    """Healthy if each is ready or suspended; lists the first that are neither."""
    ready = [tenant for tenant in tenants if _holds(tenant, "Ready")]
    suspended = [tenant for tenant in tenants if _holds(tenant, "Suspended")]
    names = [
        tenant["metadata"]["name"] for tenant in tenants if not (_holds(tenant, "Ready") or _holds(tenant, "Suspended"))
    ]
    words = [f"{len(ready)} ready"]
    words += [f"{len(suspended)} suspended"] if suspended else []
    words += [f"{len(names)} not ready: {', '.join(names[:MAX_NAMES])}"] if names else []
    return Health("tenants", ok=not names, message=", ".join(words))


def _holds(item: Object, kind: str) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)


def _ingress_health(instance: Instance) -> Health:
    try:
        with local_client(instance.certificates_dir / "ca.crt", timeout=5) as client:
            code = client.get(f"{instance.public_url}/healthz").status_code
    except (httpx.HTTPError, OSError) as error:
        return Health("control plane page", ok=False, message=str(error) or type(error).__name__)
    return Health("control plane page", ok=code == httpx.codes.OK, message=f"{instance.public_url} answers {code}")
