"""Helm, and a second API server: the test platform has its own releases, and cluster-wide objects exist but once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.api_server import ApiServer, empty_api_server
from vivero_dev.commands import run
from vivero_dev.instance import cache_root
from vivero_dev.native.tools import ensure_tool
from vivero_dev.steps import silently

ROOT = Path(__file__).parents[3]

Objects = list[dict[str, Any]]
Render = Callable[..., Objects]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log = tmp_path_factory.mktemp("logs") / "helm.log"
    return ensure_tool(cache_root(), "helm", log, silently) / "helm"


@pytest.fixture(scope="session")
def render(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """What a chart makes of these values; raises ComponentError with Helm's words."""
    file = tmp_path_factory.mktemp("values") / "values.yaml"

    def rendered(chart: str, values: dict[str, Any] | None = None, *options: str) -> Objects:
        file.write_text(yaml.safe_dump(values or {}))
        command: list[str | Path] = [
            helm,
            "template",
            "check",
            ROOT / "charts" / chart,
            f"--values={file}",
            "--namespace=somewhere",
        ]
        return [item for item in yaml.safe_load_all(run("helm", [*command, *options])) if item]

    return rendered


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with empty_api_server(tmp_path_factory.mktemp("second")) as server:
        yield server
