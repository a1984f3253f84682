"""Which provider an instance has: what the person says, else what it had, else what the machine can do."""

import os
import sys
from collections.abc import Callable

from vivero_dev.docker import preflight
from vivero_dev.docker.provider import DockerProvider
from vivero_dev.errors import DevError
from vivero_dev.instance import Instance
from vivero_dev.native.provider import NativeProvider
from vivero_dev.provider import Provider


class NoProviderError(DevError):
    """Neither a Docker that works nor the rights for native programs."""


def provider_for(instance: Instance, wish: str, tell: Callable[[str], None] = lambda _: None) -> Provider:
    """The provider called `native` or `docker`; `auto` keeps the instance's, or picks Docker where it works.

    Where Docker is there and was not picked, `tell` gets the reason.
    """
    file = instance.state_dir / "provider"
    kept = file.read_text().strip() if file.exists() else None
    if kept is not None and wish not in {"auto", kept}:
        raise NoProviderError(f"instance {instance.name} is of provider {kept}; reset it first, or name another")
    name = kept or (choose(tell) if wish == "auto" else wish)
    file.write_text(name)
    return DockerProvider(instance) if name == "docker" else NativeProvider(instance)


def choose(tell: Callable[[str], None]) -> str:
    try:
        preflight.examine()
    except preflight.DockerUnusableError as error:
        if sys.platform != "linux" or os.geteuid() != 0:
            needs = "The native provider, which needs no Docker, needs Linux and root (try sudo)."
            raise NoProviderError(f"{error} {needs}") from error
        if preflight.is_installed():
            tell(f"Without Docker, by the native provider. {error}")
        return "native"
    return "docker"
