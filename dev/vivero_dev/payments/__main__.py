"""`python -m vivero_dev.payments`: serve until SIGTERM. What was bought is kept in a file, and there again after a start."""

import argparse
import signal
import ssl
import threading
from pathlib import Path
from typing import Final

from vivero_dev.payments.ledger import Ledger
from vivero_dev.payments.storage import Storage
from vivero_dev.payments.web import Server
from vivero_dev.payments.webhooks import Destination, Webhooks
from vivero_dev.serving import serve_in_thread, tls_context

TICK_SECONDS: Final = 30.0
"""How often it looks for renewals and retries that are due."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vivero-payments", description=__doc__)
    parser.add_argument("--address", action="append", required=True, help="listen here; may be repeated")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--public-url", required=True, help="where browsers find its pages")
    parser.add_argument("--folder", type=Path, required=True, help="where its state is kept")
    parser.add_argument("--certificate", type=Path, help="without one: plain HTTP, for this machine alone")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--secret-key-file", type=Path, required=True, help="what the API asks for")
    parser.add_argument("--webhook-secret-file", type=Path, required=True, help="signs webhooks")
    parser.add_argument("--webhook-url", required=True)
    parser.add_argument(
        "--webhook-connect", metavar="HOST:PORT", help="where that address is reached, if not by its name"
    )
    parser.add_argument("--authority", type=Path, help="of the receiver's certificate")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Serve on every address until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tls = tls_context(options.certificate, options.key) if options.certificate else None
    destination = Destination(
        options.webhook_url, options.webhook_connect, ssl.create_default_context(cafile=options.authority)
    )
    ledger = Ledger(options.public_url, Webhooks(destination, options.webhook_secret_file.read_text().strip()).send)
    storage = Storage(ledger, options.folder)
    storage.load()
    secret_key = options.secret_key_file.read_text().strip()
    stops = [
        serve_in_thread(Server(address, options.port, secret_key, ledger, tls=tls, changed=storage.save))
        for address in options.address
    ]
    while not stop.wait(TICK_SECONDS):
        ledger.advance(0)
        storage.save()
    for stop_web in stops:
        stop_web()
    storage.save()


if __name__ == "__main__":
    run(parse())
