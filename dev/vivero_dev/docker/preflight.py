"""Checks whether Docker is available and has enough resources; if not, explains why and what to do.

Runs before anything is compiled or pulled, because Docker itself would fail late and with less helpful messages.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivero_dev.commands import UNKNOWN, run, version_of
from vivero_dev.errors import ComponentError, DevError

# A starting daemon may keep its client waiting.
CALL_SECONDS = 20.0
# kind's nodes have a cgroup namespace of their own, which came with it.
OLDEST_DOCKER = (20, 10)
# Reads a variable in `name`, as compose.yaml has it, since its compose-go of January 2023.
OLDEST_COMPOSE = (2, 17)
GIB = 2**30
# A platform with one tenant takes some two; a virtual machine of 4 GB has somewhat less for its programs.
LEAST_MEMORY = 3.5
# Images of the node, of the services and ours, these once more inside the node; and data.
LEAST_DISK = 8


@dataclass(frozen=True, slots=True)
class Findings:
    """Raw output of Docker's commands."""

    info: str
    """`docker info` as JSON, or its error message; some releases print both."""
    compose: str
    """Compose's version, or anything else."""
    free: int | None
    """Free bytes in the data root; None if it is not on this machine, as with Docker Desktop."""


class DockerUnusableError(DevError):
    """Docker is missing, not accessible, or too small; the message is for the person at the terminal."""


def is_installed() -> bool:
    return shutil.which("docker") is not None


def examine() -> str:
    """The versions in use; raises DockerUnusableError with the reason and what to do."""
    if not is_installed():
        raise DockerUnusableError("There is no docker program: install Docker with Compose.")
    found = _find()
    if problem := diagnosis(found):
        raise DockerUnusableError(problem)
    return f"Docker {_parsed(found.info)['ServerVersion']}, Compose {found.compose.strip()}"


def diagnosis(found: Findings) -> str | None:
    """The first problem as a sentence; None if there is none."""
    info = _parsed(found.info)
    server = str(info.get("ServerVersion") or "")
    said = " ".join(info.get("ServerErrors") or []) if info else found.info
    return (
        (_unreachable(said) if not server else None)
        or _too_old("Docker", server, OLDEST_DOCKER)
        or _compose(found.compose)
        or _too_small(info, found.free)
    )


def _unreachable(said: str) -> str:
    if "permission denied" in said:
        return (
            "Docker refuses this user: add them to the group docker (sudo usermod -aG docker $USER) and log in again,"
            " or use sudo."
        )
    if "cannot connect" in said.lower():
        return "The Docker daemon does not run: start Docker Desktop, or sudo systemctl start docker."
    last = (said.strip().splitlines() or ["it said nothing"])[-1]
    return f"The Docker daemon gives no answer ({last}): see that docker info works."


def _too_old(name: str, version: str, oldest: tuple[int, int]) -> str | None:
    if version_of(version) >= oldest:
        return None
    return f"{name} {version} is too old: update it to {oldest[0]}.{oldest[1]} or later."


def _compose(version: str) -> str | None:
    if version_of(version) == UNKNOWN:
        return (
            "Docker has no Compose: install its plugin, which is the package docker-compose-plugin, docker-compose-v2 or"
            " docker-compose, so that docker compose version works."
        )
    return _too_old("Compose", version.strip(), OLDEST_COMPOSE)


def _too_small(info: dict[str, Any], free: int | None) -> str | None:
    memory = int(info.get("MemTotal", 0)) / GIB
    if memory < LEAST_MEMORY:
        return (
            f"Docker has {memory:.1f} GiB of memory and the platform needs {LEAST_MEMORY}: give it more"
            " (Docker Desktop: Settings, Resources)."
        )
    if free is not None and free / GIB < LEAST_DISK:
        return (
            f"{info['DockerRootDir']} has {free / GIB:.1f} GiB free and the platform needs {LEAST_DISK}:"
            " make room, for instance with docker system prune."
        )
    return None


def _parsed(said: str) -> dict[str, Any]:
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _find() -> Findings:
    info = _said("docker", "info", "--format={{json .}}")
    return Findings(info, _said("docker", "compose", "version", "--short"), _free(_parsed(info)))


def _said(*words: str) -> str:
    try:
        return run("docker", words, timeout=CALL_SECONDS)
    except ComponentError as error:
        return error.reason


def _free(info: dict[str, Any]) -> int | None:
    place = info.get("DockerRootDir")
    # A path on the daemon's machine, which may be another one.
    return shutil.disk_usage(place).free if place and Path(place).is_dir() else None
