"""Short-lived programs: the one place that runs them, always with a time limit.

Commands are lists, never a shell's line, and come from this package's own code.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from vivero_dev.errors import ComponentError
from vivero_dev.logfiles import TAIL_LINES

DEFAULT_SECONDS = 120.0


def run(  # noqa: PLR0913  one keyword each for what a command may need
    component: str,
    command: Sequence[str | Path],
    *,
    timeout: float = DEFAULT_SECONDS,
    log: Path | None = None,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run to the end and return standard output; `component` names it in the error.

    With `log`, both streams are appended there instead and the result is empty.
    Raises ComponentError when it cannot start, fails, or outlives `timeout` seconds.
    """
    words = [str(word) for word in command]
    try:
        if log is None:
            return _captured(words, timeout, stdin, environment, cwd)
        return _logged(words, timeout, log, environment, cwd)
    except subprocess.CalledProcessError as error:
        said = "\n".join(str(error.stderr or error.stdout or "").splitlines()[-TAIL_LINES:])
        raise ComponentError(component, f"{words[0]} exited with {error.returncode}\n{said}".rstrip(), log) from error
    except subprocess.TimeoutExpired as error:
        raise ComponentError(component, f"{words[0]} took longer than {timeout:.0f} s", log) from error
    except OSError as error:
        raise ComponentError(component, f"{words[0]} cannot be run: {error.strerror}", log) from error


def _captured(
    words: list[str], timeout: float, stdin: str | None, environment: Mapping[str, str] | None, cwd: Path | None
) -> str:
    done = subprocess.run(  # noqa: S603  see the module's docstring
        words,
        check=True,
        capture_output=True,
        text=True,
        timeout=timeout,
        # An empty input rather than the terminal, which nothing here may read.
        input=stdin or "",
        env=_merged(environment),
        cwd=cwd,
    )
    return done.stdout


def _logged(
    words: list[str], timeout: float, log: Path, environment: Mapping[str, str] | None, cwd: Path | None
) -> str:
    with log.open("ab") as output:
        subprocess.run(  # noqa: S603  see the module's docstring
            words,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            env=_merged(environment),
            cwd=cwd,
        )
    return ""


def _merged(environment: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if environment is None else dict(os.environ) | dict(environment)
