"""`python -m vivero_dev.payments`: serve until SIGTERM. State is kept in memory alone."""

import argparse
import signal
import ssl
import threading
from pathlib import Path

from vivero_dev.mail.__main__ import tls_context
from vivero_dev.payments.web import Server
from vivero_dev.payments.webhooks import Webhooks
from vivero_dev.serving import serve_in_thread


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vivero-payments", description=__doc__)
    parser.add_argument("--address", default="127.0.0.1", help="listen here")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, help="without one: plain HTTP, for this machine alone")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--secret-key-file", type=Path, required=True, help="what the API asks for")
    parser.add_argument("--webhook-secret-file", type=Path, required=True, help="signs webhooks")
    parser.add_argument("--webhook-url", required=True)
    parser.add_argument("--authority", type=Path, help="of the receiver's certificate")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tls = tls_context(options.certificate, options.key) if options.certificate else None
    made = Server(options.address, options.port, options.secret_key_file.read_text().strip(), tls)
    trusted = ssl.create_default_context(cafile=options.authority)
    made.ledger.told = Webhooks(options.webhook_url, options.webhook_secret_file.read_text().strip(), trusted).send
    stop_web = serve_in_thread(made)
    stop.wait()
    stop_web()


if __name__ == "__main__":
    run(parse())
