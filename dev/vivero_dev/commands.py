"""Runs short-lived programs: the only module that starts them.

`run` has a timeout and is for quick commands. `run_long` has no timeout and is for compilers and package installers: it
ends a program only if it stalls.

Commands are argument lists, never shell command lines, and come from this package's own code.
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from vivero_dev.errors import ComponentError
from vivero_dev.logfiles import TAIL_LINES, NewLines

DEFAULT_SECONDS = 120.0
STALL_SECONDS = 900.0
"""A program that neither prints nor uses CPU for so long is stalled; longer than apt waits for its lock (600 s)."""
PULL_STALL_SECONDS = 3600.0
"""The same for a client of Docker while images are pulled: the daemon does that, and the client says nothing of it."""
_POLL_SECONDS = 0.5
UNKNOWN = (0, 0, 0)
"""The version of a program that says none."""
_RESUME_HINT = "What is done stays: mend the cause and run the same command again."


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
    """Run the command and return its standard output; `component` names it in errors.

    With `log`, both streams are appended there instead and the result is empty.
    Raises ComponentError if it cannot start, fails, or exceeds `timeout` seconds.
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


def run_long(  # noqa: PLR0913  one keyword each for what a command may need
    component: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stall_timeout: float = STALL_SECONDS,
    on_line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run the command without a timeout; both streams are appended to `log`, and `on_line` gets each line.

    Raises ComponentError when it cannot start, fails, or stalls for `stall_timeout` seconds.
    """
    words = [str(word) for word in command]
    lines = NewLines(log)
    try:
        with log.open("ab") as output:
            process = psutil.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_merged(environment),
                cwd=cwd,
            )
    except OSError as error:
        raise ComponentError(component, f"{words[0]} cannot be run: {error.strerror}", log) from error
    try:
        code = _wait_unless_stalled(process, lines, stall_timeout, on_line)
    except BaseException:
        _stop(process)
        raise
    if code is None:
        _stop(process)
        reason = f"{words[0]} neither printed anything nor used the processor for {stall_timeout:.0f} s"
        raise ComponentError(component, f"{reason}. {_RESUME_HINT}", log)
    if code != 0:
        raise ComponentError(component, f"{words[0]} exited with {code}. {_RESUME_HINT}", log)


def _wait_unless_stalled(
    process: psutil.Popen, lines: NewLines, stall_timeout: float, on_line: Callable[[str], None]
) -> int | None:
    """Its exit code; None if it stalled."""
    quiet, before = 0.0, -1.0
    while quiet < stall_timeout:
        try:
            code = process.wait(_POLL_SECONDS)
        except psutil.TimeoutExpired:
            code = None
        said = lines.read()
        for line in said:
            on_line(line)
        if code is not None:
            return int(code)
        used = _processor_seconds(process)
        quiet = 0.0 if said or used != before else quiet + _POLL_SECONDS
        before = used
    return None


def _processor_seconds(process: psutil.Process) -> float:
    """CPU seconds used by the process and its descendants, including those that have ended."""
    total = 0.0
    for one in _process_tree(process):
        try:
            total += sum(one.cpu_times()[:4])  # user, system, and those of children that were waited for
        except psutil.NoSuchProcess:
            continue
    return total


def _process_tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _stop(process: psutil.Popen) -> None:
    for one in _process_tree(process):
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def _captured(
    words: list[str], timeout: float, stdin: str | None, environment: Mapping[str, str] | None, cwd: Path | None
) -> str:
    done = subprocess.run(  # noqa: S603  see the module's docstring
        words,
        check=True,
        capture_output=True,
        text=True,
        timeout=timeout,
        # /dev/null instead of the terminal, which no command may read.
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


def end_started() -> None:
    """Ask every program of ours that has not left our process group to end, as a terminal does on Ctrl-C.

    What has a group of its own, as the platform's services have, is meant to outlive us.
    """
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(one.pid) == os.getpgrp():
                one.terminate()


def version_of(said: str) -> tuple[int, int, int]:
    """(2, 26, 1) from `2.26.1-4` and `v2.26.1`, (2, 26, 0) from `go2.26`; UNKNOWN for other output."""
    match = re.match(r"(?:v|go)?(\d+)\.(\d+)(?:\.(\d+))?", said.strip())
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else UNKNOWN
