"""The stand-in of the payment provider as a process: plans can be bought, and no money moves."""

import sys

from vivero_dev.backing import payments
from vivero_dev.native.services.base import PACKAGE_ROOT, ServiceHost, source_revision
from vivero_dev.platform.credentials import PAYMENTS_KEY, PAYMENTS_SIGNING, payment_secrets
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.secret_store import SecretStore
from vivero_dev.steps import Say

NAME = "payments"
# As the mail sink: UID 0 without any capability.
USER = User(0, 0)
READY_SECONDS = 20.0


def ensure_payments(host: ServiceHost, say: Say) -> str:
    folder, instance = host.certified_folder(NAME, USER, "data"), host.instance
    url = host.reachable.payments_url
    payment_secrets(SecretStore(instance.secrets_dir))
    say("starting")
    host.processes.ensure(
        ProcessSpec(
            NAME,
            [
                sys.executable,
                "-m",
                "vivero_dev.payments",
                *(f"--address={address}" for address in host.addresses),
                f"--port={instance.ports['payments']}",
                f"--public-url={url}",
                f"--folder={folder}/data",
                f"--certificate={folder}/tls.crt",
                f"--key={folder}/tls.key",
                f"--secret-key-file={instance.secrets_dir}/{PAYMENTS_KEY}",
                f"--webhook-secret-file={instance.secrets_dir}/{PAYMENTS_SIGNING}",
                f"--webhook-url={instance.webhook_url}",
                f"--webhook-connect=127.0.0.1:{instance.ports['https']}",
                f"--authority={folder}/ca.crt",
            ],
            environment={"PYTHONPATH": str(PACKAGE_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            user=USER,
            revision=source_revision("payments") + host.certificate().certificate.read_text(),
            ready=lambda: payments.health(url, host.authority.certificate).ok,
            deadline=READY_SECONDS,
        )
    )
    return url
