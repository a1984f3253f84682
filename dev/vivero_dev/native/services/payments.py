"""The stand-in of the payment provider as a process: plans can be bought, and no money moves."""

from vivero_dev.backing import payments
from vivero_dev.native.services.base import OWN_USER, ServiceHost, serve_own
from vivero_dev.platform.credentials import PAYMENTS_KEY, PAYMENTS_SIGNING, payment_secrets
from vivero_dev.secret_store import SecretStore
from vivero_dev.steps import Say

NAME = "payments"


def ensure_payments(host: ServiceHost, say: Say) -> str:
    folder, instance = host.certified_folder(NAME, OWN_USER, "data"), host.instance
    url = host.reachable.payments_url
    payment_secrets(SecretStore(instance.secrets_dir))
    say("starting")
    arguments = [
        f"--port={instance.ports['payments']}",
        f"--public-url={url}",
        f"--secret-key-file={instance.secrets_dir}/{PAYMENTS_KEY}",
        f"--webhook-secret-file={instance.secrets_dir}/{PAYMENTS_SIGNING}",
        f"--webhook-url={instance.webhook_url}",
        f"--webhook-connect=127.0.0.1:{instance.ports['https']}",
        f"--authority={folder}/ca.crt",
    ]
    serve_own(host, NAME, folder, arguments, lambda: payments.health(url, host.authority.certificate).ok)
    return url
