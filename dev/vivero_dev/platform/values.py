"""Values of the charts on this platform; everything else is the charts' default."""

from dataclasses import dataclass

from vivero_dev.backing.addresses import BackingAddresses
from vivero_dev.instance import Instance
from vivero_dev.platform.backing import CLUSTER_PORTS, TELEMETRY_PORTS, backing_host
from vivero_dev.platform.names import BACKUP_STORAGE, MARIADB_ARCHIVER, PAYMENT_PROVIDER, TENANT_MAIL

BASE_DOMAIN = "vivero.localhost"

# The chart's default; test runs raise it, because all their clients share one address.
REQUESTS_PER_MINUTE = 100
# The chart's default; test runs have none, because nobody has asked for the load of a night.
PROOFS_AT_ONCE = 1

COMPANY = {
    "name": "Example company of a local platform",
    "address": "1 Example Street\n12345 Exampletown",
    "email": "hello@vivero.localhost",
    "vatId": "DE123456789",
    # Of the examples of the registry of IBANs: no bank has that account.
    "invoicing": {"iban": "DE89370400440532013000", "country": "DE", "vatRate": 19},
}
"""So that the pages about the company are there, and quotes can be made; the mail server of the platform takes what is sent to it."""

PLANS = ("trial", "starter", "professional", "enterprise")
"""Of the chart."""


@dataclass(frozen=True, slots=True)
class Chores:
    """What the operator does without being asked; a platform for tests has none of it."""

    proofs_at_once: int = PROOFS_AT_ONCE
    undo_days: int | None = None
    """How long deleted tenants are kept; None: as the chart's plans say."""
    scheduled_backups: bool = True


DEFAULT_CHORES = Chores()
_JAEGER = f"http://{backing_host('otlp')}:{TELEMETRY_PORTS['otlp']}"


def operator_values(
    instance: Instance, images: dict[str, str], chores: Chores = DEFAULT_CHORES, recovery_key: str = ""
) -> dict[str, object]:
    plan: dict[str, object] = {"undoDays": chores.undo_days} if chores.undo_days is not None else {}
    # Helm takes null for "without the chart's default".
    plan |= {} if chores.scheduled_backups else {"backup": None}
    plans = {"plans": dict.fromkeys(PLANS, plan)} if plan else {}
    return plans | {
        "image": _image(images["operator"]),
        "dataPlane": {"image": _image(images["data-plane"])},
        "baseDomain": BASE_DOMAIN,
        "publicPort": instance.ports["https"],
        "mail": {"secret": TENANT_MAIL},
        "accountUrl": instance.account_url,
        "backup": {"secret": BACKUP_STORAGE},
        "platformBackup": {"recoveryKey": recovery_key},
        "proofs": {"atOnce": chores.proofs_at_once},
        "database": {"archiverSecret": MARIADB_ARCHIVER},
    }


def control_plane_values(
    instance: Instance,
    images: dict[str, str],
    requests_per_minute: int = REQUESTS_PER_MINUTE,
    *,
    ingress_address: str = "",
    prometheus_url: str = "",
) -> dict[str, object]:
    return {
        "limits": {"requestsPerMinute": requests_per_minute},
        "ingress": {"address": ingress_address},
        "image": _image(images["control-plane"]),
        "baseDomain": BASE_DOMAIN,
        "publicPort": instance.ports["https"],
        "company": COMPANY,
        "monitoring": {"prometheusUrl": prometheus_url},
        "billing": {
            "secret": PAYMENT_PROVIDER,
            "apiUrl": f"https://{backing_host('payments')}:{CLUSTER_PORTS['payments']}",
            "pagesUrl": BackingAddresses.of(instance).payments_url,
        },
    }


def operator_telemetry() -> dict[str, object]:
    """The operator and the workspaces, each request of theirs, send their traces to Jaeger."""
    return {"telemetry": {"otlpEndpoint": _JAEGER, "workspaces": {"otlpEndpoint": _JAEGER, "ratio": 1}}}


def control_plane_telemetry() -> dict[str, object]:
    return {"telemetry": {"otlpEndpoint": _JAEGER}}


def _image(reference: str) -> dict[str, str]:
    """Repository and tag, separated by the last colon; an earlier one belongs to a port."""
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"}
