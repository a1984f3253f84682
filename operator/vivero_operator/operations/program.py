"""What every program of an operation does: read its files, run the step that it is asked for, say what came of it."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from vivero_core.errors import ViveroError

from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.runner import REFUSED_EXIT, Said

TERMINATION_LOG: Final = Path("/dev/termination-log")
MESSAGE_BYTES: Final = 2048
"""kubelet keeps 4,096 bytes of a termination log, and the JSON around it and its escapes take some."""
Step = Callable[["Files"], Said]

logger = logging.getLogger(__name__)


class Files:
    """The files of the operation, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def path(self, name: str) -> Path:
        return self.folder / name


def run(steps: Mapping[str, Step], arguments: list[str], log: Path = TERMINATION_LOG) -> int:
    """Run one step and write what came of it to the termination log; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    (name,) = arguments
    try:
        said = steps[name](Files(Path(os.environ["VIVERO_OPERATION_FILES"])))
    except ViveroError as error:
        logger.error("step %s failed: %s", name, error)  # noqa: TRY400  what was raised is ours and says all
        log.write_text(_document(Said(message=str(error))))
        return REFUSED_EXIT if isinstance(error, RefusedError) else 1
    except OSError as error:
        logger.exception("step %s failed", name)
        # Its text names a file of the pod, and its traceback is in the log.
        log.write_text(_document(Said(message=f"{type(error).__name__}: {os.strerror(error.errno or 0)}")))
        return 1
    except Exception as error:
        # A fault of this program: its traceback is for the log, its name for whoever waits.
        logger.exception("step %s failed with an unexpected error", name)
        log.write_text(_document(Said(message=f"unexpected {type(error).__name__}; the log of the pod has more")))
        return 1
    logger.info("step %s done: %s", name, said.message)
    log.write_text(_document(said))
    return 0


def _document(said: Said) -> str:
    short = said.message.encode()[:MESSAGE_BYTES].decode(errors="ignore")
    return said.model_copy(update={"message": short}).model_dump_json()


def main(steps: Mapping[str, Step]) -> None:
    sys.exit(run(steps, sys.argv[1:]))
