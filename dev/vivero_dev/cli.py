"""The `./vivero` command line."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from rich.console import Console
from vivero_core.model.tenant_pool import SIZE_MAX

from vivero_dev import cli_checks, cli_platform
from vivero_dev.commands import end_started
from vivero_dev.errors import DevError
from vivero_dev.instance import DEFAULT_NAME
from vivero_dev.platform.spares import POOL_SIZE
from vivero_dev.platform.values import PROOFS_AT_ONCE, REQUESTS_PER_MINUTE

INTERRUPTED = 130
# Services and containers run as other users, who must be able to read their configuration and programs independent of
# the caller's umask. Files with secrets are created with mode 0600.
UMASK = 0o022


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="./vivero", description="Vivero on this machine: bring it up, try it, test it.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = _command(commands, "up", "bring the platform up, with one trial tenant; safe to repeat")
    up.add_argument("--no-demo", action="store_true", help="leave out the trial signup")
    up.add_argument(
        "--pool",
        type=_pool_size,
        default=POOL_SIZE,
        metavar="N",
        help=f"finished tenants to keep for the next signups; 0 makes each wait for a pod (default: {POOL_SIZE})",
    )
    up.add_argument(
        "--requests-per-minute",
        type=int,
        default=REQUESTS_PER_MINUTE,
        help=f"rate limit of the control plane for each address (default: {REQUESTS_PER_MINUTE})",
    )
    up.add_argument(
        "--proofs",
        type=int,
        choices=range(11),
        default=PROOFS_AT_ONCE,
        metavar="N",
        help=f"archives of tenants that are proven at a time, from 1:00 to 6:00 UTC (default: {PROOFS_AT_ONCE})",
    )
    up.add_argument(
        "--undo-days",
        type=int,
        metavar="N",
        help="days that all plans keep what was deleted with its data; 0 destroys it at once (default: as the plans say)",
    )
    up.add_argument(
        "--no-scheduled-backups",
        action="store_true",
        help="plans without a schedule: only what is asked for is backed up (default: each night at 2:30 UTC)",
    )
    up.add_argument(
        "--observability",
        action="store_true",
        help="also run Prometheus and Alertmanager, with the rules of the charts; alerts become mails",
    )
    _command(commands, "down", "stop everything; only the data stays on the machine")
    _command(commands, "reset", "down, and delete the instance's data")
    status = _command(commands, "status", "show the health of each part")
    status.add_argument("--json", action="store_true", help="addresses and credentials for scripts")
    logs = _command(commands, "logs", "follow the log of a part, or list the parts")
    logs.add_argument("component", nargs="?", help="a part from the list, or NAMESPACE/POD")
    logs.add_argument("--no-follow", action="store_true", help="print the end and stop")
    signup = _command(commands, "signup", "sign up for one more trial through the public API")
    signup.add_argument("--company", required=True)
    signup.add_argument("--email", required=True)
    test = _command(commands, "test", "run lints and all tests on an instance of their own")
    extent = test.add_mutually_exclusive_group()
    extent.add_argument("--full", action="store_true", help="run sampled sweeps in full, and the whole docker provider")
    extent.add_argument(
        "--fast", action="store_true", help="only tests without a platform, without coverage: two to three minutes"
    )
    test.add_argument("-k", dest="expression", help="only tests that match this pytest expression")
    test.add_argument("--under-load", action="store_true", help="keep one processor busy during the tests")
    test.add_argument("--keep", action="store_true", help="keep the instance running afterwards")
    return root


def _pool_size(text: str) -> int:
    size = int(text)
    if not 0 <= size <= SIZE_MAX:
        raise argparse.ArgumentTypeError(f"from 0 to {SIZE_MAX}")
    return size


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary)
    default = os.environ.get("VIVERO_INSTANCE") or DEFAULT_NAME
    command.add_argument("--instance", default=default, help=f"which platform (default: {default})")
    command.add_argument("--provider", choices=("auto", "native", "docker"), default="auto")
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0 on success, 1 on a reported failure, 130 when interrupted."""
    os.umask(UMASK)
    options = parser().parse_args(arguments)
    console = Console(soft_wrap=False)
    errors = Console(stderr=True)
    run = {**cli_platform.COMMANDS, **cli_checks.COMMANDS}[options.command]
    try:
        return run(options, console)
    except DevError as error:
        errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        errors.print("Interrupted. Run the same command again to go on.")
        return INTERRUPTED


def interrupt(number: int, frame: FrameType | None) -> None:
    """Handler of SIGTERM: what Ctrl-C does at a terminal, where every program of the run gets the signal."""
    end_started()
    signal.default_int_handler(number, frame)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    sys.exit(main())
