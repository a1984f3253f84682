"""The docker provider's services, up in a daemon of these tests' own; they stand for the platform's."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.docker_daemon import Daemon, inside, own_daemon
from support.docker_images import image_names, load_images
from vivero_dev.docker.compose import NETWORK
from vivero_dev.docker.provider import DockerProvider
from vivero_dev.instance import open_instance
from vivero_dev.provider import SERVICES_READY
from vivero_dev.status import as_json
from vivero_dev.steps import silently


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("docker")
    with own_daemon(folder) as daemon, pytest.MonkeyPatch.context() as environment:
        for name, value in {**daemon.environment, "XDG_STATE_HOME": str(folder / "state")}.items():
            environment.setenv(name, value)
        load_images(daemon, image_names(), folder)
        # As kind does when it makes its first cluster.
        daemon.docker("network", "create", NETWORK)
        with inside(daemon.namespace):
            yield daemon


@pytest.fixture(scope="session")
def provider(daemon: Daemon) -> Iterator[DockerProvider]:
    """With its services up; afterwards nothing of them is left."""
    provider = DockerProvider(open_instance("compose"))
    start_services(provider)
    yield provider
    provider.erase(silently)
    assert provider.leftovers() == []
    assert daemon.docker("volume", "ls", "--quiet") == ""


def start_services(provider: DockerProvider) -> str:
    (step,) = (step for step in provider.steps() if step.name == SERVICES_READY)
    return step.run(silently)


@pytest.fixture(scope="session")
def platform(provider: DockerProvider) -> dict[str, Any]:
    return as_json(provider)
