"""Command line arguments and the listening socket; minimal imports, because it runs before everything else."""

import argparse
import socket
from collections.abc import Sequence
from typing import Final

_PORT: Final = 8080
_BACKLOG: Final = 2048


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parsed arguments: `command` is None (serve), serve, migrate, create-owner, audit or job."""
    parser = argparse.ArgumentParser(prog="vivero-data-plane")
    parser.set_defaults(host="0.0.0.0", port=_PORT)  # noqa: S104  a pod's Service reaches it here
    commands = parser.add_subparsers(dest="command")
    serve = commands.add_parser("serve", help="serve requests (the default)")
    serve.add_argument("--host", default="0.0.0.0")  # noqa: S104  as above
    serve.add_argument("--port", type=int, default=_PORT)
    commands.add_parser("migrate", help="bring the schema to the newest revision")
    owner = commands.add_parser("create-owner", help="create the first account; its password comes on standard input")
    owner.add_argument("--email", required=True)
    owner.add_argument("--name", default="")
    audit = commands.add_parser("audit", help="the audit log").add_subparsers(dest="act", required=True)
    verify = audit.add_parser(
        "verify", help="compare the log with its seals; 1 if it was tampered with, 2 if not known"
    )
    verify.add_argument("--json", action="store_true")
    job = commands.add_parser("job", help="one attempt at a job; the server starts it")
    job.add_argument("id", type=int)
    job.add_argument("attempt", type=int)
    return parser.parse_args(argv)


def listen(arguments: argparse.Namespace) -> socket.socket | None:
    """The server's listening socket, opened half a second before the server accepts connections.

    The kubelet probes once a second: a probe refused while we are still
    importing delays a signup by that second; one waiting in the backlog is
    answered as soon as we are ready.
    """
    if arguments.command not in {None, "serve"}:
        return None
    return listen_at(arguments.host, arguments.port)


def listen_at(host: str, port: int) -> socket.socket:
    """A listening socket."""
    listener = socket.create_server((host, port), backlog=_BACKLOG)
    # asyncio sets TCP_NODELAY only on sockets that it opens itself; without it each
    # response on a keep-alive connection waits 40 ms for the peer's ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
