"""What the commands do: serve requests, migrate the schema, create the first owner."""

import argparse
import asyncio
import gc
import os
import socket
import sys
from typing import Final

from vivero_data import cli
from vivero_data import settings as configuration
from vivero_data.errors import DataPlaneError, SettingsError
from vivero_data.lib import logging as logs
from vivero_data.settings import Settings

_DRAIN_SECONDS: Final = 20  # for requests that run when the pod is told to go; below Kubernetes' 30
_KEEP_ALIVE_SECONDS: Final = 75  # longer than the proxy's 60, so that it is the proxy who closes
_MAX_CONNECTIONS: Final = 2000


def main() -> int:
    """The installed script's entry; `python -m vivero_data` is the leaner one."""
    arguments = cli.parse(sys.argv[1:])
    return run(arguments, cli.listen(arguments))


def run(arguments: argparse.Namespace, listener: socket.socket | None) -> int:
    """Do the command; the process's exit status."""
    try:
        loaded = configuration.load(os.environ)
        logs.configure(loaded.env.log_level)
        if listener is not None:
            return _serve(loaded, listener)
        if arguments.command == "migrate":
            return _migrate(loaded)
        return _create_owner(loaded, arguments.email, arguments.name)
    except SettingsError as error:
        sys.stderr.write(f"vivero-data-plane: {error.detail}\n")
        return 2
    except DataPlaneError as error:
        sys.stderr.write(f"vivero-data-plane: {error.detail}\n")
        return 1


def _serve(loaded: Settings, listener: socket.socket) -> int:
    # Here, so that the other commands do not pay for the web framework.
    import uvicorn  # noqa: PLC0415

    from vivero_data.app import create_app  # noqa: PLC0415

    app = create_app(loaded)
    gc.enable()
    gc.freeze()  # what exists now stays; the collector need not look at it again
    config = uvicorn.Config(
        app,
        lifespan="on",
        # uvloop needs 2.4 MiB and four threads more, and took no less CPU time a request here.
        loop="asyncio",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # we read X-Forwarded-For ourselves, from the right
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _migrate(loaded: Settings) -> int:
    # Alembic and SQLAlchemy only where they are used: 35 MB.
    from vivero_data.db.migrate import migrate  # noqa: PLC0415

    migrate(loaded)
    return 0


def _create_owner(loaded: Settings, email: str, name: str) -> int:
    from vivero_data.domain.owner.command import create_owner  # noqa: PLC0415  not needed to serve

    password = sys.stdin.readline().rstrip("\n")
    state = asyncio.run(create_owner(loaded, email, name, password))
    sys.stdout.write(f"{'created' if state.created else 'already there'}: {state.email}\n")
    return 0
