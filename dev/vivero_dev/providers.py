"""Which provider an instance has: what the person says, else what it had, else what the machine can do."""

import os
import shutil
import sys

from vivero_dev.commands import run
from vivero_dev.docker.provider import DockerProvider
from vivero_dev.errors import ComponentError, DevError
from vivero_dev.instance import Instance
from vivero_dev.native.provider import NativeProvider
from vivero_dev.provider import Provider

DAEMON_SECONDS = 10.0


class NoProviderError(DevError):
    """Neither a Docker daemon nor the rights for native programs."""


def provider_for(instance: Instance, wish: str) -> Provider:
    """The provider called `native` or `docker`; `auto` keeps the instance's, or picks Docker where it answers."""
    file = instance.state_dir / "provider"
    kept = file.read_text().strip() if file.exists() else None
    if kept is not None and wish not in {"auto", kept}:
        raise NoProviderError(f"instance {instance.name} is of provider {kept}; reset it first, or name another")
    name = kept or (choose() if wish == "auto" else wish)
    file.write_text(name)
    return DockerProvider(instance) if name == "docker" else NativeProvider(instance)


def choose() -> str:
    if daemon_answers():
        return "docker"
    if sys.platform == "linux" and os.geteuid() == 0:
        return "native"
    raise NoProviderError("no Docker daemon answers, and the native provider needs Linux and root (try sudo)")


def daemon_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    try:
        run("docker", ["docker", "info", "--format={{.ServerVersion}}"], timeout=DAEMON_SECONDS)
    except ComponentError:
        return False
    return True
