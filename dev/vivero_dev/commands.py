"""Programs that this tool runs to their end: the one place that starts them.

`run` is for what is quick anywhere, and has a time limit. `work` is for what takes as long as the machine needs
(compilers, package installers): it ends only when the program is silent.

Commands are lists, never a shell's line, and come from this package's own code.
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from vivero_dev.errors import ComponentError
from vivero_dev.logfiles import TAIL_LINES, NewLines

DEFAULT_SECONDS = 120.0
SILENCE_SECONDS = 900.0
"""So long a program may neither print nor use the processor: longer than apt waits for another apt (600 s)."""
PULL_SILENCE_SECONDS = 3600.0
"""The same for a client of Docker while images are pulled: the daemon does that, and the client says nothing of it."""
_LOOK_SECONDS = 0.5
_CONTINUE = "What is done stays: mend the cause and run the same command again."


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


def work(  # noqa: PLR0913  one keyword each for what a command may need
    component: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    silence: float = SILENCE_SECONDS,
    on_line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run to the end however long it takes; both streams are appended to `log`, and `on_line` gets each line.

    Raises ComponentError when it cannot start, fails, or for `silence` seconds neither prints nor uses the processor.
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
        code = _watched(process, lines, silence, on_line)
    except BaseException:
        _stop(process)
        raise
    if code is None:
        _stop(process)
        reason = f"{words[0]} neither printed anything nor used the processor for {silence:.0f} s"
        raise ComponentError(component, f"{reason}. {_CONTINUE}", log)
    if code != 0:
        raise ComponentError(component, f"{words[0]} exited with {code}. {_CONTINUE}", log)


def _watched(process: psutil.Popen, lines: NewLines, silence: float, on_line: Callable[[str], None]) -> int | None:
    """Its exit code; None once it was silent for too long."""
    quiet, before = 0.0, -1.0
    while quiet < silence:
        try:
            code = process.wait(_LOOK_SECONDS)
        except psutil.TimeoutExpired:
            code = None
        said = lines.read()
        for line in said:
            on_line(line)
        if code is not None:
            return int(code)
        used = _processor_seconds(process)
        quiet = 0.0 if said or used != before else quiet + _LOOK_SECONDS
        before = used
    return None


def _processor_seconds(process: psutil.Process) -> float:
    """What it and its descendants have used so far, those included that have ended."""
    total = 0.0
    for one in _family(process):
        try:
            total += sum(one.cpu_times()[:4])  # user, system, and those of children that were waited for
        except psutil.NoSuchProcess:
            continue
    return total


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _stop(process: psutil.Popen) -> None:
    for one in _family(process):
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


def version_of(said: str) -> tuple[int, int]:
    """(2, 26) of `2.26.1-4`, `v2.26.1` and `go2.26`; (0, 0) where a program says anything else."""
    match = re.match(r"(?:v|go)?(\d+)\.(\d+)", said.strip())
    return (int(match[1]), int(match[2])) if match else (0, 0)
