"""`python -m vivero_dev.mail`: serve until SIGTERM."""

import argparse
import asyncio
import signal
from pathlib import Path

from vivero_dev.mail.mailbox import Mailbox
from vivero_dev.mail.smtp import listen
from vivero_dev.mail.web import serve
from vivero_dev.serving import tls_context


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vivero-mail", description=__doc__)
    parser.add_argument("--address", action="append", required=True, help="listen here; may be repeated")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--web-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where mails are kept")
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    return parser.parse_args(arguments)


async def run(options: argparse.Namespace) -> None:
    """Serve SMTP and HTTPS on every address until SIGTERM or SIGINT."""
    mailbox = Mailbox(options.folder)
    context = tls_context(options.certificate, options.key)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    servers = [await listen(address, options.smtp_port, context, mailbox) for address in options.address]
    stops = [serve(address, options.web_port, context, mailbox) for address in options.address]
    await stop.wait()
    for server in servers:
        server.close()
    for stop_web in stops:
        stop_web()


if __name__ == "__main__":
    asyncio.run(run(parse()))
