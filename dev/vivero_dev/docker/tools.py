"""kind, kubectl and helm: this machine's, else built from their Go modules as the native provider does."""

import shutil
from pathlib import Path

from vivero_dev.instance import Instance
from vivero_dev.native.tools import ensure_tool, program
from vivero_dev.steps import Say, Step

# The module that builds each.
BUILT_FROM = {"kind": "kind", "kubectl": "kubernetes", "helm": "helm"}


def find(instance: Instance, name: str) -> Path:
    own = shutil.which(name)
    return Path(own) if own is not None else program(instance.cache_dir, name)


def step(instance: Instance, name: str, needs: tuple[str, ...]) -> Step:
    """The step that provides the program; it has the program's name."""
    return Step(name, lambda say: _ensure(instance, name, say), needs)


def _ensure(instance: Instance, name: str, say: Say) -> str:
    if shutil.which(name) is not None:
        return "this machine's"
    module = BUILT_FROM[name]
    return ensure_tool(instance.cache_dir, module, instance.log_dir / f"build-{module}.log", say).name
