"""A stand-in of Stripe in this process, and a browser's part in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from pydantic import AnyHttpUrl, SecretStr
from vivero_control.settings import BillingSettings
from vivero_dev.payments.ledger import Ledger
from vivero_dev.payments.web import Server
from vivero_dev.serving import serve_in_thread

KEY = "sk_test_standin"
WEBHOOK_SECRET = "whsec_standin"


@dataclass(frozen=True)
class Payments:
    """Its state, and what the control plane needs to know of it."""

    ledger: Ledger
    settings: BillingSettings

    def pay(self, checkout_url: str, card: str = "pays") -> httpx.Response:
        """What the customer does on the payment page; the answer leads back."""
        return httpx.post(checkout_url, data={"card": card}, timeout=20)


@contextmanager
def payments() -> Iterator[Payments]:
    """For the length of the block."""
    ledger = Ledger("")
    made = Server("127.0.0.1", 0, KEY, ledger)
    ledger.url = f"http://127.0.0.1:{made.server_address[1]}"
    stop = serve_in_thread(made)
    settings = BillingSettings(
        api_url=AnyHttpUrl(ledger.url), secret_key=SecretStr(KEY), webhook_secret=SecretStr(WEBHOOK_SECRET)
    )
    yield Payments(ledger, settings)
    stop()
