"""Long-lived processes of an instance: started detached, found again, stopped.

A process outlives the command that started it. Its pid file also holds the start
time from /proc, so that a reused pid is never mistaken for our process, let alone
killed.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance

POLL_SECONDS = 0.05
TERM_SECONDS = 20.0
KILL_SECONDS = 5.0
VISIBLE_SECONDS = 5.0
# Mounts pairs of folders up to "--", then becomes the command after it.
BIND = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 1; shift 2; done; shift; exec "$@"'
ENVIRONMENT_MARK = "VIVERO_INSTANCE_MARK"


@dataclass(frozen=True, slots=True)
class User:
    """UID and GID of a process, which need no account on the machine; it has no capabilities."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run and how to know it is ready.

    `ready` is polled for at most `deadline` seconds; a process that exits before
    fails the start at once. `binds` (source, target) are bind mounts in a private
    mount namespace. `revision` represents inputs that are not in the command
    line, such as a configuration file's content: a running process of another
    revision is restarted.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    netns: Path | None = None
    user: User | None = None
    binds: Sequence[tuple[Path, Path]] = ()
    cwd: Path | None = None
    revision: str = ""
    ready: Callable[[], bool] | None = None
    deadline: float = 60.0

    def fingerprint(self) -> str:
        """Changes when anything that the process was started with changes."""
        parts = [list(self.command), sorted(self.environment.items()), str(self.user), str(self.netns)]
        parts += [[str(path) for pair in self.binds for path in pair], self.revision]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Running:
    """A process found alive through its pid file."""

    name: str
    pid: int
    started: int
    fingerprint: str = ""


class ProcessTable:
    """The supervised processes of one instance: pid files in `run`, logs in `logs`.

    Every process has the instance's name in its environment under
    ENVIRONMENT_MARK, so that `down` also finds those that lost their pid file.
    """

    def __init__(self, instance: Instance) -> None:
        self._mark = instance.name
        self._run = instance.run_dir
        self._logs = instance.log_dir

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def find(self, name: str) -> Running | None:
        return _read_pid_file(self._run / f"{name}.pid")

    def running(self) -> list[Running]:
        files = sorted(self._run.glob("*.pid"))
        return [found for file in files if (found := _read_pid_file(file))]

    def ensure(self, spec: ProcessSpec) -> Running:
        """Start the process unless it runs with this specification; wait until it is ready."""
        running = self.find(spec.name)
        if running is not None and running.fingerprint != spec.fingerprint():
            self.stop(spec.name)
            running = None
        running = running or self._start(spec)
        self._wait_ready(spec, running)
        return running

    def strays(self) -> list[Running]:
        """All live processes with this instance's mark, with or without a pid file."""
        wanted = f"{ENVIRONMENT_MARK}={self._mark}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                marked = wanted in (folder / "environ").read_bytes().split(b"\0")
                started = start_time(int(folder.name)) if marked else None
                if started is not None:
                    name = (folder / "comm").read_text().strip()
                    found.append(Running(name, int(folder.name), started))
        return found

    def stop(self, name: str, *, grace: float = TERM_SECONDS) -> bool:
        """TERM, then KILL after `grace` seconds; False if it was not running."""
        file = self._run / f"{name}.pid"
        running = _read_pid_file(file)
        if running is not None:
            stop_process(running, grace=grace)
        file.unlink(missing_ok=True)
        return running is not None

    def _start(self, spec: ProcessSpec) -> Running:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            ENVIRONMENT_MARK: self._mark,
        }
        with self.log(spec.name).open("ab") as log:
            child = subprocess.Popen(  # noqa: S603  commands come from this package's own code
                _full_command(spec),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment | dict(spec.environment),
                cwd=spec.cwd or "/",
                start_new_session=True,
                close_fds=True,
            )
        # It outlives this program: keep Popen from warning that nothing waits for it.
        child.returncode = 0
        started = start_time(child.pid)
        if started is None:
            raise ComponentError(spec.name, "exited at once", self.log(spec.name))
        running = Running(spec.name, child.pid, started, spec.fingerprint())
        file = self._run / f"{spec.name}.pid"
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(running)))
        draft.replace(file)
        _wait_until_visible(running)
        return running

    def _wait_ready(self, spec: ProcessSpec, running: Running) -> None:
        if spec.ready is None:
            return
        end = time.monotonic() + spec.deadline
        while not spec.ready():
            if not is_alive(running):
                raise ComponentError(spec.name, "exited before it was ready", self.log(spec.name))
            if time.monotonic() > end:
                raise ComponentError(spec.name, f"not ready within {spec.deadline:.0f} s", self.log(spec.name))
            time.sleep(POLL_SECONDS)


def _wait_until_visible(running: Running) -> None:
    """Wait for /proc/<pid>/environ, which `strays` reads: it appears a moment after Popen returns."""
    environment, end = Path(f"/proc/{running.pid}/environ"), time.monotonic() + VISIBLE_SECONDS
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while not environment.read_bytes() and time.monotonic() < end:
            time.sleep(POLL_SECONDS / 10)


def stop_process(running: Running, *, grace: float = TERM_SECONDS) -> None:
    """End the process and its session: TERM, at most `grace` seconds, KILL, at most 5 more."""
    for number, limit in ((signal.SIGTERM, grace), (signal.SIGKILL, KILL_SECONDS)):
        if not is_alive(running):
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, number)
        end = time.monotonic() + limit
        while is_alive(running) and time.monotonic() < end:
            _collect_child(running.pid)
            time.sleep(POLL_SECONDS)
    if is_alive(running):
        raise ComponentError(running.name, f"process {running.pid} survived SIGKILL")


def is_alive(running: Running) -> bool:
    _collect_child(running.pid)
    return start_time(running.pid) == running.started


def start_time(pid: int) -> int | None:
    """Start of the process in clock ticks since boot; None if it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the program's name, may hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    state, started = fields[0], fields[19]
    return None if state in {"Z", "X"} else int(started)


def _full_command(spec: ProcessSpec) -> list[str]:
    command = list(spec.command)
    if spec.user is not None:
        identity = [f"--reuid={spec.user.uid}", f"--regid={spec.user.gid}", "--clear-groups"]
        command = ["setpriv", *identity, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--", *command]
    if spec.binds:
        pairs = [str(path) for pair in spec.binds for path in pair]
        command = ["unshare", "--mount", "--propagation=private", "--", "sh", "-c", BIND, "sh", *pairs, "--", *command]
    if spec.netns is not None:
        # Not `ip netns exec`: that mounts a new /sys, which hides the cgroups.
        command = ["nsenter", f"--net={spec.netns}", "--", *command]
    return command


def _read_pid_file(file: Path) -> Running | None:
    try:
        stored = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    running = Running(file.stem, int(stored["pid"]), int(stored["started"]), str(stored["fingerprint"]))
    return running if is_alive(running) else None


def _collect_child(pid: int) -> None:
    """Reap the zombie if it is our child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
