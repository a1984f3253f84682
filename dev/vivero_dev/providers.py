"""Chooses an instance's provider: the requested one, else its previous one, else what the machine supports."""

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
    """Neither a working Docker nor the privileges for the native provider."""


def provider_for(instance: Instance, wish: str, note: Callable[[str], None] = lambda _: None) -> Provider:
    """The provider `native` or `docker`; `auto` keeps the instance's, or chooses Docker if it works.

    If Docker is installed but not chosen, `note` gets the reason.
    """
    file = instance.state_dir / "provider"
    kept = file.read_text().strip() if file.exists() else None
    if kept is not None and wish not in {"auto", kept}:
        raise NoProviderError(f"instance {instance.name} is of provider {kept}; reset it first, or name another")
    name = kept or (choose(note) if wish == "auto" else wish)
    file.write_text(name)
    return DockerProvider(instance) if name == "docker" else NativeProvider(instance)


def choose(note: Callable[[str], None]) -> str:
    try:
        preflight.examine()
    except preflight.DockerUnusableError as error:
        if sys.platform != "linux" or os.geteuid() != 0:
            needs = "The native provider, which needs no Docker, needs Linux and root (try sudo)."
            raise NoProviderError(f"{error} {needs}") from error
        if preflight.is_installed():
            note(f"Without Docker, by the native provider. {error}")
        return "native"
    return "docker"
