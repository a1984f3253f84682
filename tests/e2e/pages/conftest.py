"""Both programs with pages that are full, on 127.0.0.1."""

from collections.abc import Iterator

import pytest
from e2e.pages import full
from integration.control_plane.support import running
from unit.data_plane_web import fakes as data


@pytest.fixture(scope="module")
def control_plane() -> Iterator[str]:
    with running(full.control_plane(), ready=404) as address:
        yield address


@pytest.fixture(scope="module")
def past() -> Iterator[str]:
    """A workspace as of a second."""
    with running(full.workspace(data.NOW), ready=404) as address:
        yield address


@pytest.fixture(scope="module")
def workspace() -> Iterator[str]:
    with running(full.workspace(), ready=404) as address:
        yield address


@pytest.fixture
def address(world: data.World) -> Iterator[str]:
    """The pages over the world of the test."""
    with running(data.make_app(world), ready=404) as found:
        yield found
