"""Terraform with its provider, and Helm to render the charts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from vivero_dev.instance import cache_root
from vivero_dev.native.tools import ensure_tool
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.steps import silently
from vivero_dev.terraform import Project, ensure_provider

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def kubeconfig(platform: dict[str, Any]) -> Path:
    return Path(platform["kubeconfig"])


@pytest.fixture(scope="session")
def kubectl(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    log = tmp_path_factory.mktemp("logs") / "kubernetes.log"
    return Kubectl(ensure_tool(cache_root(), "kubernetes", log, silently) / "kubectl", kubeconfig)


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log = tmp_path_factory.mktemp("logs") / "helm.log"
    return ensure_tool(cache_root(), "helm", log, silently) / "helm"


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terraform")
    return ensure_provider(cache_root(), folder / "providers", folder / "build.log", silently)


@pytest.fixture
def new_project(providers: Path, tmp_path: Path) -> Callable[[], Project]:
    """The environment `local` in a folder of its own, initialised."""

    def make() -> Project:
        project = Project(ROOT / "terraform", "environments/local", tmp_path / "work", providers)
        project.init()
        return project

    return make
