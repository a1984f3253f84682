"""The program: one of three roles, named by the first argument.

`serve` answers requests, `worker` does what need not be done in a request,
`migrate` brings the schema up to date and seeds the first administrator.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import ValidationError
from vivero_core.errors import ViveroError
from vivero_web import logs
from vivero_web.clock import now

from vivero_control import settings
from vivero_control.db.migrate import migrate, require_usable
from vivero_control.domain.staff.service import seed_admin
from vivero_control.lib.telemetry import SERVICE, reporter_of
from vivero_control.settings import Settings

USAGE: Final = "usage: python -m vivero_control serve | worker | migrate"

# A role imports what it alone needs: `migrate` runs before every start of a pod, and pages and
# routes would cost it a second.


def serve(chosen: Settings) -> None:
    from vivero_control.app import create_program  # noqa: PLC0415  see above
    from vivero_control.lib.serving import listening, run  # noqa: PLC0415
    from vivero_control.web.pages import pages  # noqa: PLC0415

    require_usable(chosen)
    program = create_program(chosen, pages())
    run(
        listening(program.public, chosen.listen_host, chosen.listen_port),
        listening(program.internal, chosen.listen_host, chosen.metrics_port),
    )


def worker(chosen: Settings) -> None:
    from vivero_control.lib.serving import listening, run  # noqa: PLC0415  see above
    from vivero_control.worker import create_worker_app  # noqa: PLC0415

    require_usable(chosen)
    run(listening(create_worker_app(chosen), chosen.listen_host, chosen.metrics_port))


def migrate_and_seed(chosen: Settings) -> None:
    migrate(chosen)
    asyncio.run(seed_admin(chosen, now))


ROLES: Final[Mapping[str, Callable[[Settings], None]]] = {
    "serve": serve,
    "worker": worker,
    "migrate": migrate_and_seed,
}


def main() -> None:
    role = ROLES.get(sys.argv[1]) if len(sys.argv) == 2 else None  # noqa: PLR2004  the program and its role
    if role is None:
        sys.exit(USAGE)
    try:
        chosen = settings.load()
    except ValidationError as error:
        # Names of settings and what is wrong with them, never a value.
        sys.exit("\n".join(f"setting {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()))
    telemetry = chosen.telemetry
    with reporter_of(telemetry) as reporter:
        own = ("vivero_control", "vivero_core")
        logs.configure(telemetry.log_level, *own, form=telemetry.log_format, service=SERVICE, reporter=reporter)
        try:
            role(chosen)
        except ViveroError as error:
            sys.exit(f"{type(error).__name__}: {error}")
