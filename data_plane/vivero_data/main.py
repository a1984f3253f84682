"""The commands: serve requests, migrate the schema, create the first owner, verify the audit log, run a job."""

import argparse
import asyncio
import gc
import os
import socket
import sys

from vivero_web import logs
from vivero_web.errors import WebError, explained

from vivero_data import cli, lean
from vivero_data import settings as configuration
from vivero_data.errors import SettingsError
from vivero_data.settings import Settings
from vivero_data.telemetry import SERVICE, reporter_of


def main() -> int:
    """The installed script's entry; `python -m vivero_data` is the leaner one."""
    arguments = cli.parse(sys.argv[1:])
    return run(arguments, cli.listen(arguments))


def run(arguments: argparse.Namespace, listener: socket.socket | None) -> int:
    """Run the command; returns the exit status."""
    try:
        loaded = configuration.load(os.environ)
    except SettingsError as error:
        return _explain(error)
    env = loaded.env
    with reporter_of(loaded) as reporter:
        logs.configure(env.log_level, form=env.log_format, service=SERVICE, reporter=reporter, tenant_id=env.tenant_id)
        try:
            return _command(loaded, arguments, listener)
        except WebError as error:
            return _explain(error)


def _explain(error: WebError) -> int:
    """On standard error; returns the exit status."""
    sys.stderr.write(f"vivero-data-plane: {error.detail}\n")
    return 2 if isinstance(error, SettingsError) else 1


def _command(loaded: Settings, arguments: argparse.Namespace, listener: socket.socket | None) -> int:
    if listener is not None:
        return _serve(loaded, listener)
    match arguments.command:
        case "migrate":
            return _migrate(loaded)
        case "audit":
            return _verify_audit_log(loaded, as_json=arguments.json)
        case "job":
            return _job(loaded, arguments.id, arguments.attempt)
        case _:
            return _create_owner(loaded, arguments.email, arguments.name)


def _serve(loaded: Settings, listener: socket.socket) -> int:
    # Imported here, so that the other commands do not load the web framework.
    from vivero_data.app import create_app  # noqa: PLC0415
    from vivero_data.serving import serve  # noqa: PLC0415

    lean.end_of_imports()
    app = create_app(loaded)
    gc.enable()
    gc.freeze()  # objects from start-up are permanent; exclude them from garbage collection
    return serve(app, listener, _metrics_listener(loaded, listener))


def _metrics_listener(loaded: Settings, listener: socket.socket) -> socket.socket:
    """On the address that the public port listens on."""
    try:
        return cli.listen_at(listener.getsockname()[0], loaded.env.metrics_port)
    except OSError as error:
        raise SettingsError(
            f"VIVERO_METRICS_PORT: {loaded.env.metrics_port} cannot be listened on ({error})"
        ) from error


def _migrate(loaded: Settings) -> int:
    # Alembic and SQLAlchemy only where they are used: 35 MB.
    from vivero_data.db.migrate import migrate  # noqa: PLC0415

    migrate(loaded)
    return 0


def _job(loaded: Settings, job_id: int, attempt: int) -> int:
    from vivero_data.domain.jobs.child import limit_resources, run_job  # noqa: PLC0415  not needed to serve
    from vivero_data.domain.jobs.repository import Attempt  # noqa: PLC0415  as above

    lean.end_of_imports()
    limit_resources()
    gc.enable()
    return asyncio.run(run_job(loaded, Attempt(job_id, attempt)))


def _verify_audit_log(loaded: Settings, *, as_json: bool) -> int:
    from vivero_data.domain.audit.command import report, verify_log  # noqa: PLC0415  not needed to serve

    try:
        found = asyncio.run(verify_log(loaded))
    except WebError as error:
        sys.stderr.write(f"vivero-data-plane: the audit log could not be verified: {explained(error)}\n")
        return 2
    sys.stdout.write(report(found, as_json=as_json) + "\n")
    return 0 if found.intact else 1


def _create_owner(loaded: Settings, email: str, name: str) -> int:
    from vivero_data.domain.owner.command import create_owner  # noqa: PLC0415  not needed to serve

    password = sys.stdin.readline().rstrip("\n")
    state = asyncio.run(create_owner(loaded, email, name, password))
    sys.stdout.write(f"{'created' if state.created else 'already there'}: {state.email}\n")
    return 0
